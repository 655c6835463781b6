import { err, ok, type Result } from './result.ts';

/** As with disks and networks: a KB is 1000 bytes, a KiB is 1024. */
const UNITS: Record<string, number> = {
  b: 1,
  ...{ k: 1e3, m: 1e6, g: 1e9, t: 1e12 },
  ...{ kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  ...{ kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 },
};

/**
 * Reads a size with its unit: `500MB`, `8GB`, `1.5 GiB`.
 * @param text as the user wrote it; a bare number is refused because its unit would be a guess
 * @returns whole bytes, or a sentence that says what is expected
 */
export function parseSize(text: string): Result<number, string> {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim()) ?? [];
  const word = unit.toLowerCase();
  const bytes = Object.hasOwn(UNITS, word) ? Math.round(Number(amount) * UNITS[word]!) : Number.NaN;
  if (Number.isSafeInteger(bytes)) return ok(bytes);
  return err(`"${text}" is not a size: write it with its unit, such as 500MB, 8GB or 8GiB`);
}

/** Bytes as a person says them: `450 B`, `12 MB`, `9.1 GB`. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let at = 0;
  while (value >= 999.95 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return `${Number(value.toFixed(1))} ${units[at]}`;
}
