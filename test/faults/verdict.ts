/**
 * What a promise's test has counted, against its bar. It travels to the reporter with the test, which prints one line of it.
 */
import { expect, type TestContext } from 'vitest';

export interface Count {
  name: string;
  value: number;
  /** The most that is allowed. */
  bar: number;
  unit: string;
}

export interface VerdictReport {
  promise: string;
  counts: Count[];
  /** How much was done and broken: "12 runs", "34 worker kills". */
  facts: string[];
  /** What happened, in order; printed when the promise was broken. */
  log: string[];
}

declare module 'vitest' {
  interface TaskMeta {
    verdict?: VerdictReport;
  }
}

export interface Verdict {
  /** Counts something that must not be more than its bar. */
  count(name: string, value: number, bar: number, unit?: string): void;
  fact(text: string): void;
  /** One line for whoever has to find out why it was broken. */
  log(text: string): void;
  /** To be called last. @throws when a bar was passed */
  conclude(): void;
}

/** Opens the verdict of the test that runs now. */
export function openVerdict(promise: string, { task }: TestContext): Verdict {
  const report: VerdictReport = { promise, counts: [], facts: [], log: [] };
  const startedAt = performance.now();
  task.meta.verdict = report;
  return {
    count: (name, value, bar, unit = '') => void report.counts.push({ name, value, bar, unit }),
    fact: (text) => void report.facts.push(text),
    log: (text) => void report.log.push(`${((performance.now() - startedAt) / 1000).toFixed(1)} s  ${text}`),
    conclude: () => {
      const broken = report.counts.filter(({ value, bar }) => !(value <= bar));
      expect(broken.map(({ name, value, bar }) => `${name} ${value}, at most ${bar}`)).toEqual([]);
    },
  };
}
