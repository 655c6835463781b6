import { expect, test } from 'vitest';
import { parseEstimateText, parseTokens } from '../../src/plan/estimate-text.ts';

test.each([
  ['4-6 hours', [240, 360]],
  ['4–6 Hours', [240, 360]],
  ['20-30 minutes', [20, 30]],
  ['20 to 30 min', [20, 30]],
  ['30m-1h', [30, 60]],
  ['1.5 hours', [90, 90]],
  ['~30 minutes', [30, 30]],
  ['30m', [30, 30]],
  ['1h30m', [90, 90]],
  ['90s', [1.5, 1.5]],
  ['2 days', [2880, 2880]],
])('"%s" is %j minutes', (text, [minMinutes, maxMinutes]) => {
  expect(parseEstimateText(text)).toEqual({ ok: true, value: { minMinutes, maxMinutes } });
});

test.each(['30', '20-30', 'soon', '6-4 hours', '0m', '', '4 parsecs', '1-2-3 h'])('"%s" is refused', (text) => {
  expect(parseEstimateText(text).ok).toBe(false);
});

test('a number without unit is read where the field has one', () => {
  expect(parseEstimateText('20-30', 1)).toEqual({ ok: true, value: { minMinutes: 20, maxMinutes: 30 } });
  expect(parseEstimateText('2', 60)).toEqual({ ok: true, value: { minMinutes: 120, maxMinutes: 120 } });
});

test('tokens are read in all their spellings', () => {
  expect([5000, '5000', '20,000', '5k', '10-15k', 'many'].map(parseTokens)).toEqual([
    5000,
    5000,
    20_000,
    5000,
    15_000,
    undefined,
  ]);
});
