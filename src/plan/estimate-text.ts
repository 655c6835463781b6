/**
 * Reads the ways in which people write how long a task takes: `4-6 hours`, `20-30 minutes`, `30m`, `1h30m`, `[20, 30]`.
 */
import { parseDuration } from '../runtime/duration.ts';
import { err, ok, type Result } from '../runtime/result.ts';

export interface MinuteRange {
  minMinutes: number;
  maxMinutes: number;
}

const UNIT_MINUTES: Record<string, number> = { s: 1 / 60, m: 1, h: 60, d: 1440 };
const RANGE = /^~?\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*(?:[-\u2013\u2014]|to)\s*(\d+(?:\.\d+)?)\s*([a-z]*)$/;
const SINGLE = /^~?\s*(\d+(?:\.\d+)?)\s*([a-z]*)$/;
const MAX_LENGTH = 100;
const EXPECTED = 'such as "30m", "4-6 hours" or "20-30 minutes"';

/**
 * Reads an estimate with its unit.
 * @param text as written; one amount or a range, with units unless `bareUnit` is given
 * @param bareUnit minutes per unit for text without a unit (60 for a field in hours)
 * @returns minutes, lower bound first, or the end of a sentence that says what is expected
 */
export function parseEstimateText(text: string, bareUnit?: number): Result<MinuteRange, string> {
  // The patterns below take n² steps on long runs of digits and spaces.
  if (text.length > MAX_LENGTH) return err(`must be ${EXPECTED}, but is longer than ${MAX_LENGTH} characters`);
  const trimmed = text.trim().toLowerCase();
  const range = RANGE.exec(trimmed);
  if (range !== null) {
    const high = unitMinutes(range[4]!, bareUnit);
    const low = range[2] === '' ? high : unitMinutes(range[2]!, bareUnit);
    return toRange(text, Number(range[1]) * (low ?? Number.NaN), Number(range[3]) * (high ?? Number.NaN));
  }
  const single = SINGLE.exec(trimmed);
  const unit = single === null ? undefined : unitMinutes(single[2]!, bareUnit);
  if (single !== null && unit !== undefined) return toRange(text, Number(single[1]) * unit, Number(single[1]) * unit);
  const duration = parseDuration(trimmed);
  return duration.ok
    ? toRange(text, duration.value / 60_000, duration.value / 60_000)
    : err(`must be ${EXPECTED}, but is "${text}"`);
}

/**
 * Checks two bounds given as numbers.
 * @param text what to quote in the message
 */
export function toRange(text: string, minMinutes: number, maxMinutes: number): Result<MinuteRange, string> {
  if (!Number.isFinite(minMinutes) || !Number.isFinite(maxMinutes)) return err(`must be ${EXPECTED}, but is "${text}"`);
  if (minMinutes < 0 || maxMinutes <= 0) return err(`must be more than nothing, but is "${text}"`);
  if (minMinutes > maxMinutes) return err(`must have its lower bound first, but is "${text}"`);
  return ok({ minMinutes: rounded(minMinutes), maxMinutes: rounded(maxMinutes) });
}

/** Reads a number of tokens: `5000`, `"20,000"`, `"5k"`, `"10-15k"` (the upper bound counts); undefined when it is none. */
export function parseTokens(value: number | string): number | undefined {
  if (typeof value === 'number') return value;
  if (value.length > MAX_LENGTH) return undefined;
  const amounts = [
    ...value
      .toLowerCase()
      .replace(/[,_\s]/g, '')
      .matchAll(/(\d+(?:\.\d+)?)(k?)/g),
  ];
  const last = amounts.at(-1);
  return last === undefined ? undefined : Math.round(Number(last[1]) * (last[2] === 'k' ? 1000 : 1));
}

function unitMinutes(word: string, bareUnit: number | undefined): number | undefined {
  if (word === '') return bareUnit;
  const unit = /^(s|m|h|d)(?:ec|econd|in|inute|r|our|ay)?s?$/.exec(word);
  return unit === null ? undefined : UNIT_MINUTES[unit[1]!];
}

function rounded(minutes: number): number {
  return Math.round(minutes * 1000) / 1000;
}
