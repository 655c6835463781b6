import { describe, expect, it } from 'vitest';
import { formatSize, parseSize } from '../../src/runtime/size.ts';

describe('a size', () => {
  it.each([
    ['8GB', 8e9],
    ['500 MB', 5e8],
    ['1.5gb', 1.5e9],
    ['4G', 4e9],
    ['1KiB', 1024],
    ['2 GiB', 2 ** 31],
    ['10B', 10],
    ['1TB', 1e12],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toEqual({ ok: true, value: bytes });
  });

  it.each(['8', '', 'GB', '-1GB', '1 apple', '1e3GB', '8 GB more', '99999999999TB', '1constructor'])(
    'is not guessed from %j',
    (text) => {
      const error = `"${text}" is not a size: write it with its unit, such as 500MB, 8GB or 8GiB`;
      expect(parseSize(text)).toEqual({ ok: false, error });
    },
  );

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 KB'],
    [9_140_000_000, '9.1 GB'],
    [8e9, '8 GB'],
    [999_960_000, '1 GB'],
    [5e15, '5000 TB'],
  ])('of %d bytes is said as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});
