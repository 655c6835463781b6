/**
 * Replaces known secret values in whatever is told of a task. The rule: a value of at least {@link LEAST_SECRET} characters,
 * and every such line of a longer text, as it is, in base64, URL-encoded and escaped as JSON does it. A part of a value, or
 * another encoding, is not found.
 */

/** Shorter values would be found everywhere, and hide nothing. */
export const LEAST_SECRET = 8;

export const MASKED = '***';

/** Text without the secrets. */
export type Mask = (text: string) => string;

/** @param values the secrets; those that are too short are left out */
export function createMask(values: Iterable<string>): Mask {
  return createFormMask([...values].flatMap(formsOf));
}

/** The same for bytes that need not be text: each character of the masked text stands for one byte (`latin1`). */
export function createByteMask(values: Iterable<string>): Mask {
  return createFormMask([...values].flatMap(formsOf).map((form) => Buffer.from(form).toString('latin1')));
}

function createFormMask(all: readonly string[]): Mask {
  const forms = new Set(all);
  if (forms.size === 0) return (text) => text;
  // The longest first, so that no form leaves the rest of another behind.
  const words = [...forms]
    .sort((a, b) => b.length - a.length)
    .map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const pattern = new RegExp(words.join('|'), 'g');
  return (text) => text.replace(pattern, MASKED);
}

/** Masks every text in a value made of JSON's types, its keys too. */
export function maskDeep<T>(value: T, mask: Mask): T {
  if (typeof value === 'string') return mask(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => maskDeep(item, mask)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [mask(key), maskDeep(item as unknown, mask)]);
  return Object.fromEntries(entries) as T;
}

function formsOf(value: string): string[] {
  const whole = value.trim();
  // Logs have one line at a time, so the lines of a key file are secrets too.
  const texts = [whole, ...whole.split(/\r?\n/).map((line) => line.trim())];
  return texts.flatMap((text) => (text.length < LEAST_SECRET ? [] : [text, ...encodingsOf(text)]));
}

function encodingsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  return [
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    encodeURIComponent(bytes.toString()),
    JSON.stringify(text).slice(1, -1),
  ];
}
