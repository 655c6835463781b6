import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/runtime/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1h30m', 5_400_000],
    ['1h 30m 5s', 5_405_000],
    ['1.5h', 5_400_000],
    ['  90S ', 90_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  it.each(['', ' ', '90', '-5m', 'm', '5 minutes', '5x', '1e3s', '5m and more', '.5h'])(
    'refuses "%s" with an example of what is meant',
    (text) => {
      expect(parseDuration(text)).toEqual({ ok: false, error: expect.stringContaining(`"${text}" is not a duration`) });
    },
  );

  it('adds up whatever parts it is given', () => {
    const unit = fc.constantFrom(
      ['ms', 1] as const,
      ['s', 1000] as const,
      ['m', 60_000] as const,
      ['h', 3_600_000] as const,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(999), unit), { minLength: 1, maxLength: 5 }), (parts) => {
        const text = parts.map(([amount, [name]]) => `${amount}${name}`).join('');
        const total = parts.reduce((sum, [amount, [, ms]]) => sum + amount * ms, 0);
        expect(parseDuration(text)).toEqual({ ok: true, value: total });
      }),
    );
  });

  it('answers a long hostile text at once', () => {
    expect(parseDuration(`${'1s '.repeat(20_000)}!`).ok).toBe(false);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [450.4, '450 ms'],
    [1000, '1.0 s'],
    [12_345, '12.3 s'],
    [60_000, '1 min 00 s'],
    [245_000, '4 min 05 s'],
    [3_600_000, '1 h 00 min'],
    [7_800_000, '2 h 10 min'],
    [90_000_000, '25 h 00 min'],
  ])('says %d ms as a person does', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
