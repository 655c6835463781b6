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

export function writeResults(file: string, results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

export function readResults(file = RESULTS): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results;
}
