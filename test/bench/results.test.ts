import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PAGE, withResults } from '../../bench/docs.ts';
import { PARTS, readOptions } from '../../bench/options.ts';
import { readResults, writeResults } from '../../bench/results.ts';
import { atLeast, atMost, row, toText } from '../../bench/rows.ts';

const facts = { part: 'a', id: 'x', what: 'it', unit: 'ratio' } as const;

describe('the committed results', () => {
  it('are the table of docs/performance.md', () => {
    const page = readFileSync(PAGE, 'utf8');
    expect(withResults(page, readResults())).toBe(page);
  });

  it('are of a whole run with at least five rounds', () => {
    const { quick, rounds, rows } = readResults();
    expect(quick).toBe(false);
    expect(rounds).toBeGreaterThanOrEqual(5);
    expect([...new Set(rows.map(({ part }) => part))]).toEqual([...PARTS]);
  });

  it('say of each target whether it is kept', () => {
    for (const { value, target, kept, ...rest } of readResults().rows)
      expect(row({ ...rest, value, ...(target === null ? {} : { target }) }).kept).toBe(kept);
  });
});

describe('results', () => {
  it('are read as they were written', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'planq-results-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = path.join(folder, 'results.json');
    const results = { ...readResults(), rows: [row({ ...facts, value: 1 }), row({ ...facts, id: 'y', value: 2 })] };
    writeResults(file, results);
    expect(readResults(file)).toEqual(results);
  });

  it('keep a target at its limit and miss it beyond', () => {
    expect(row({ ...facts, value: 0.6, target: atLeast(0.6) }).kept).toBe(true);
    expect(row({ ...facts, value: 0.59, target: atLeast(0.6) }).kept).toBe(false);
    expect(row({ ...facts, value: 2.01, target: atMost(2) }).kept).toBe(false);
    expect(toText([row({ ...facts, value: 2.01, target: atMost(2) })])).toContain('2.01 ×');
  });
});

describe('the options', () => {
  it('name the part that is not there', () => {
    expect(() => readOptions(['a', 'z'])).toThrow('there is no part "z"');
  });

  it('take all parts and five rounds unless told', () => {
    expect(readOptions([])).toMatchObject({ parts: [...PARTS], rounds: 5, quick: false });
    expect(readOptions(['b', '--quick', '--rounds', '7'])).toMatchObject({ parts: ['b'], rounds: 7, quick: true });
  });
});
