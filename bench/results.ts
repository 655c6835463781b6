/** `results.json`: rows, and what is needed to read them. Nothing in it tells whose machine it was. */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Row } from './rows.ts';

const ROOT = path.join(import.meta.dirname, '..');
export const RESULTS = path.join(import.meta.dirname, 'results.json');

export interface Results {
  date: string;
  quick: boolean;
  rounds: number;
  machine: { cores: number; node: string; redis: string; bullmq: string; planq: string };
  rows: Row[];
}

export function toResults(rows: Row[], facts: Pick<Results, 'quick' | 'rounds'> & { redis: string }): Results {
  return {
    date: new Date().toISOString().slice(0, 10),
    quick: facts.quick,
    rounds: facts.rounds,
    machine: {
      cores: os.availableParallelism(),
      node: process.version,
      redis: facts.redis,
      bullmq: versionOf('node_modules/bullmq/package.json'),
      planq: versionOf('package.json'),
    },
    rows,
  };
}

function versionOf(file: string): string {
  return (JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as { version: string }).version;
}

/** A row is a line, so that two runs can be compared by reading. */
export function writeResults(file: string, { rows, ...facts }: Results): void {
  const head = JSON.stringify(facts, null, 2).replace(/\n}$/, ',');
  const lines = rows.map((one) => `    ${JSON.stringify(one)}`);
  writeFileSync(file, `${head}\n  "rows": [\n${lines.join(',\n')}\n  ]\n}\n`);
}

export function readResults(file = RESULTS): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results;
}
