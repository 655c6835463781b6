import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const MODULE = new URL('../../src/cli/worker-engine.ts', import.meta.url).href;

/** Makes garbage and keeps some of it for a while, as a busy worker does. Prints the most that the young generation had, MB. */
const program = (setUp: string) => `
  import v8 from 'node:v8';
  import { tuneEngine } from '${MODULE}';
  ${setUp}
  let kept = [], most = 0;
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 40_000; i++) kept.push({ round, i, text: round + '-' + i });
    if (kept.length > 200_000) kept = kept.slice(100_000);
    await new Promise((resolve) => setImmediate(resolve));
    const young = v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size;
    most = Math.max(most, young / 2 ** 20);
  }
  console.log(most);`;

/** Calls a function until V8 has compiled it with all its art. Prints how many thousand calls that took, 100,000 at most. */
const called = (setUp: string) => `
  import { tuneEngine } from '${MODULE}';
  ${setUp}
  const sum = (numbers) => { let all = 0; for (const number of numbers) all += number; return all; };
  let thousands = 0;
  // Turbofan has compiled it: the bits that V8 gives for that.
  while ((%GetOptimizationStatus(sum) & 64) === 0 && thousands < 100_000) {
    for (let i = 0; i < 1000; i++) sum([1, 2, 3]);
    thousands++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(thousands);`;

async function measure(source: string): Promise<number> {
  const options = ['--allow-natives-syntax', '--no-concurrent-recompilation', '--import', 'tsx', '--input-type=module'];
  const { stdout } = await run(process.execPath, [...options, '-e', source]);
  return Number(stdout);
}

test('the young generation of a busy worker stays small', async () => {
  // The step that passes 8 MB is the last.
  expect(await measure(program('tuneEngine();'))).toBeLessThanOrEqual(16);
  expect(await measure(program(''))).toBeGreaterThan(16);
});

test('a worker compiles with all its art only what works hard for long', async () => {
  const [before, tuned] = [await measure(called('')), await measure(called('tuneEngine();'))];
  if (process.versions.v8.startsWith('11.')) expect(tuned).toBeGreaterThan(50 * before);
  expect(tuned).toBeLessThan(100_000);
});
