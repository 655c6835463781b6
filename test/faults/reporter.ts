/**
 * One line per promise, with what was counted against its bar; the same in coverage/faults.json.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { SEED } from './chance.ts';
import type { VerdictReport } from './verdict.ts';

export interface PromiseResult extends Omit<VerdictReport, 'log'> {
  isKept: boolean;
  line: string;
  seconds: number;
  seed: number;
  /** Day of the run, ISO 8601. */
  date: string;
  log?: string[];
}

const FILE = path.join(import.meta.dirname, '..', '..', 'coverage', 'faults.json');

export class FaultReporter implements Reporter {
  readonly #results: PromiseResult[] = [];

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state === 'skipped') return;
    const verdict = test.meta().verdict ?? { promise: test.name, counts: [], facts: [], log: [] };
    const seconds = Math.round((test.diagnostic()?.duration ?? 0) / 1000);
    const isKept = state === 'passed';
    const line = toLine(verdict, seconds);
    const { log, ...report } = verdict;
    const date = new Date().toISOString().slice(0, 10);
    this.#results.push({ ...report, isKept, line, seconds, seed: SEED, date, ...(isKept ? {} : { log }) });
    say(isKept ? line : `${line}  BROKEN`);
    if (!isKept) for (const text of [...(errors ?? []).map((error) => error.message), ...log]) say(`    ${text}`);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) for (const error of module.errors()) say(`${module.moduleId}: ${error.message}`);
    const broken = this.#results.filter((result) => !result.isKept).map((result) => result.promise);
    say(broken.length === 0 ? `${this.#results.length} promises kept` : `broken: ${broken.join(', ')}; seed ${SEED}`);
    mkdirSync(path.dirname(FILE), { recursive: true });
    writeFileSync(FILE, `${JSON.stringify(merge(this.#results), null, 2)}\n`);
  }
}

/** Results of promises that were not tested this time are kept. */
function merge(results: readonly PromiseResult[]): PromiseResult[] {
  const all = new Map(readEarlier().map((result) => [result.promise, result]));
  for (const result of results) all.set(result.promise, result);
  return [...all.values()].sort((a, b) => Number(a.promise.slice(1)) - Number(b.promise.slice(1)));
}

function readEarlier(): PromiseResult[] {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as PromiseResult[];
  } catch {
    // The first run, or a file that was cut off: begin anew.
    return [];
  }
}

function toLine({ promise, counts, facts }: VerdictReport, seconds: number): string {
  const counted = counts.map(({ name, value, bar, unit }) => `${name} ${value}/${bar}${unit}`);
  return `${promise.padEnd(4)}${counted.join('  ')}  (${[...facts, `${seconds} s`, `seed ${SEED}`].join(', ')})`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
