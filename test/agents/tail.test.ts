import { appendFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AgentReport } from '../../src/agents/agent.ts';
import { capLog } from '../../src/agents/log-cap.ts';
import { openTail, type Tail } from '../../src/agents/tail.ts';
import { makeAttempt } from '../support/agent.ts';

interface Followed {
  file: string;
  tail: Tail;
  lines(): string[];
  reports: AgentReport[];
}

async function follow(before = '', limitBytes = 1_000_000): Promise<Followed> {
  const file = makeLog(before);
  const reports: AgentReport[] = [];
  const report = (entry: AgentReport): void => void reports.push(entry);
  const tail = await openTail({ logFile: file, start: before.length, limitBytes, report });
  const lines = (): string[] => reports.flatMap((entry) => (entry.kind === 'lines' ? entry.lines : []));
  return { file, tail, lines, reports };
}

function makeLog(text: string): string {
  const { logFile } = makeAttempt().invocation;
  mkdirSync(path.dirname(logFile), { recursive: true });
  writeFileSync(logFile, text);
  return logFile;
}

describe('following a log', () => {
  it('reports new lines only, and a last one without an end at the end', async () => {
    const { file, tail, lines } = await follow('an earlier attempt\n');
    expect(await tail.poll()).toBe(false);
    appendFileSync(file, 'one\ntw');
    expect(await tail.poll()).toBe(true);
    expect(lines()).toEqual(['one']);
    appendFileSync(file, 'o\nthree');
    await tail.finish();
    expect(lines()).toEqual(['one', 'two', 'three']);
  });

  it('reports the last progress of a look, and all warnings', async () => {
    const { file, tail, reports } = await follow();
    appendFileSync(file, '::progress 1::a\n::warning ::w1\n::progress 2::b\n::warning ::w2\ntext\n');
    await tail.finish();
    expect(reports).toEqual([
      { kind: 'warning', message: 'w1' },
      { kind: 'warning', message: 'w2' },
      { kind: 'progress', percent: 2, message: 'b' },
      { kind: 'lines', lines: ['text'] },
    ]);
  });

  it('passes on no more than twenty warnings and two hundred lines at once', async () => {
    const { file, tail, lines, reports } = await follow();
    appendFileSync(file, '::warning ::w\n'.repeat(500));
    appendFileSync(file, Array.from({ length: 500 }, (_, index) => `line ${index}\n`).join(''));
    await tail.finish();
    expect(reports.filter((report) => report.kind === 'warning')).toHaveLength(21);
    expect(lines()).toHaveLength(200);
    expect(lines().at(-1)).toBe('line 499');
  });

  it('skips to the end of a flood', async () => {
    const { file, tail, lines } = await follow('', 100_000_000);
    appendFileSync(file, 'x'.repeat(99).concat('\n').repeat(100_000));
    appendFileSync(file, 'the end\n');
    await tail.finish();
    expect(lines().at(-1)).toBe('the end');
  });

  it('begins anew when somebody empties the log', async () => {
    const { file, tail, lines } = await follow();
    appendFileSync(file, 'before\n');
    await tail.poll();
    truncateSync(file);
    await tail.poll();
    appendFileSync(file, 'after\n');
    await tail.finish();
    expect(lines()).toEqual(['before', 'after']);
  });

  it('goes on after it has cut a log that became too large', async () => {
    const { file, tail, lines } = await follow('', 10_000);
    appendFileSync(file, 'filler\n'.repeat(3000));
    await tail.poll();
    expect(statSync(file).size).toBeLessThan(10_000);
    appendFileSync(file, 'after the cut\n');
    await tail.finish();
    expect(lines().at(-1)).toBe('after the cut');
  });
});

/** Appends lines in the gaps that `work` leaves, not more than are shown at once. @returns them */
async function writeMeanwhile(file: string, work: Promise<unknown>): Promise<string[]> {
  const written: string[] = [];
  let isDone = false;
  void work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    if (written.length < 100) {
      written.push(`late ${written.length}`);
      appendFileSync(file, `${written.at(-1)}\n`);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return written;
}

describe('a log that is too large', () => {
  it('keeps what is written while it is cut, as its last words', async () => {
    const file = makeLog('filler\n'.repeat(100_000));
    const written = await writeMeanwhile(file, capLog(file, 400_000));
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.slice(-1 - written.length)).toEqual([...written, '']);
    expect(lines.filter((line) => line.startsWith('[planq: '))).toHaveLength(1);
  });

  it('is followed without a gap', async () => {
    const { file, tail, lines } = await follow('', 400_000);
    appendFileSync(file, 'filler\n'.repeat(100_000));
    const written = await writeMeanwhile(file, tail.poll());
    await tail.finish();
    expect(lines().filter((line) => line !== 'filler')).toEqual(written);
  });

  it('keeps the end of a last line that is longer than what is kept', async () => {
    const file = makeLog(`first\n${'x'.repeat(10_000)} the end\n`);
    await capLog(file, 4000);
    expect(readFileSync(file, 'utf8')).toMatch(/^first\n\[planq: \d+ bytes cut out here\]\nx+ the end\n$/);
  });

  it('keeps whole lines of its beginning and its end, and says how much is missing', async () => {
    const text = Array.from({ length: 1000 }, (_, index) => `line ${index}\n`).join('');
    const file = makeLog(text);
    const cut = await capLog(file, 4000);
    const lines = readFileSync(file, 'utf8').split('\n');
    const mark = lines.findIndex((line) => line.startsWith('[planq: '));
    expect(lines[0]).toBe('line 0');
    expect(lines[mark]).toBe(`[planq: ${cut!.cutBytes} bytes cut out here]`);
    expect(lines.at(-2)).toBe('line 999');
    const kept = lines.filter((line) => line.startsWith('line ')).map((line) => line.length + 1);
    expect(kept.reduce((sum, length) => sum + length, 0) + cut!.cutBytes).toBe(text.length);
    expect(cut!.size).toBe(statSync(file).size);
  });

  it('is left alone while it is within its limit', async () => {
    const file = makeLog('short\n');
    expect(await capLog(file, 6)).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('short\n');
  });
});
