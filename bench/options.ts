/** `npm run bench -- [parts] [--quick] [--rounds N] [--out file] [--profile part] [--docs]` */
import { parseArgs } from 'node:util';

export const PARTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm'] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  parts: Part[];
  /** Small sizes and two rounds: whether the bench works, not how fast anything is. */
  quick: boolean;
  rounds: number;
  /** Where the results go besides the table; null = `bench/results.json` after a whole run, else nowhere. */
  out: string | null;
  /** Instead of measuring: where a worker spends its time. */
  profile: 'a' | 'b' | null;
  /** Measures nothing: writes the table of docs/performance.md from `bench/results.json`. */
  docs: boolean;
}

/** @throws Error for words that it does not know */
export function readOptions(words: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      out: { type: 'string' },
      profile: { type: 'string' },
      docs: { type: 'boolean', default: false },
    },
  });
  const parts = positionals.map((word) => {
    const part = PARTS.find((known) => known === word);
    if (part === undefined) throw new Error(`there is no part "${word}"; the parts are ${PARTS.join(' ')}`);
    return part;
  });
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number, 1 or more');
  const { profile } = values;
  if (profile !== undefined && profile !== 'a' && profile !== 'b') throw new Error('--profile takes a or b');
  return {
    parts: parts.length === 0 ? [...PARTS] : parts,
    quick: values.quick,
    rounds,
    out: values.out ?? null,
    profile: profile ?? null,
    docs: values.docs,
  };
}
