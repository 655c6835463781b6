/** Chance is an argument: a source of numbers in [0, 1). */
export type Random = () => number;

import { randomBytes, randomUUID } from 'node:crypto';

/** The system's generator. */
export const systemRandom: Random = () => randomBytes(4).readUInt32BE() / 2 ** 32;

const ALPHABET = 'abcdefghjkmnpqrstvwxyz0123456789'.replace(/[01]/g, '');

/** A short id of `length` characters without look-alikes (no 0, 1, i, l, o, u). */
export function randomId(length: number): string {
  let id = '';
  for (const byte of randomBytes(length)) id += ALPHABET[byte % ALPHABET.length];
  return id;
}

/** A word that nobody guesses and that is made quickly; not for people to read. */
export function randomToken(): string {
  return randomUUID().replaceAll('-', '');
}
