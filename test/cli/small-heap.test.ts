import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const MODULE = new URL('../../src/cli/small-heap.ts', import.meta.url).href;

/** Makes garbage and keeps some of it for a while, as a busy worker does. Prints the most that the young generation had, MB. */
const program = (setUp: string) => `
  import v8 from 'node:v8';
  import { keepHeapSmall } from '${MODULE}';
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

async function measure(setUp: string): Promise<number> {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program(setUp)]);
  return Number(stdout);
}

test('the young generation of a busy worker stays small', async () => {
  // The step that passes 8 MB is the last.
  expect(await measure('keepHeapSmall();')).toBeLessThanOrEqual(16);
  expect(await measure('')).toBeGreaterThan(16);
});
