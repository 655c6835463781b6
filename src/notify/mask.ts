/** Takes known secrets out of text that leaves the house: reasons of failures come from agents, and say what they like. */

/** Shorter values are words like "true" or "dev". */
const LEAST_LENGTH = 6;

/** A function that puts `***` in the place of every one of the values. */
export function createMask(values: Iterable<string | undefined>): (text: string) => string {
  const secrets = [...new Set(values)].filter((value) => value !== undefined && value.length >= LEAST_LENGTH);
  // The longest first: one may hold another.
  const sorted = (secrets as string[]).sort((a, b) => b.length - a.length);
  return (text) => sorted.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
}
