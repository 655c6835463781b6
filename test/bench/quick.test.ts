import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { readResults } from '../../bench/results.ts';
import { ROOT } from '../support/repository.ts';

const run = promisify(execFile);

it('a quick bench measures, writes what it found and leaves nothing behind', { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'planq-quick-'));
  const own = await mkdtemp(path.join(tmpdir(), 'planq-tmp-'));
  onTestFinished(async () => {
    for (const one of [folder, own]) await rm(one, { recursive: true, force: true });
  });
  const out = path.join(folder, 'results.json');
  const words = ['--import', 'tsx', 'bench/main.ts', '--quick', '--rounds', '1', '--out', out, 'a', 'b', 'd', 'k', 'm'];
  const { stdout } = await run(process.execPath, words, { cwd: ROOT, env: { ...process.env, TMPDIR: own } });

  const { quick, rounds, machine, rows } = readResults(out);
  expect({ quick, rounds }).toEqual({ quick: true, rounds: 1 });
  expect(Object.values(machine).every((fact) => fact !== '' && fact !== 0)).toBe(true);
  expect([...new Set(rows.map(({ part }) => part))]).toEqual(['a', 'b', 'd', 'k', 'm']);
  // Whoever needs a task may be claimed in the millisecond in which it ends.
  for (const { part, value } of rows) expect(value).toBeGreaterThanOrEqual(part === 'd' ? 0 : Number.MIN_VALUE);
  for (const { what } of rows) expect(stdout).toContain(what);
  // Scripts by their names.
  expect(stdout).toMatch(/ planq advance$/m);
  expect(stdout).not.toMatch(/ script [0-9a-f]{8}$/m);
  expect((await readdir(own)).filter((name) => name.startsWith('planq-'))).toEqual([]);
});
