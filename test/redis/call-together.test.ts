import { expect, test } from 'vitest';
import { createTogether } from '../../src/redis/call-together.ts';

test('calls of one turn travel together, and each gets its own answer', async () => {
  const sent: unknown[][] = [];
  const call = createTogether(async (...args) => {
    sent.push(args);
    return [['one'], ['error', 'OOM'], ['three']];
  });
  const answers = await Promise.allSettled([call('a', 1), call('b', 2), call('c', 3)]);
  expect(sent).toEqual([[2, 'a', 1, 'b', 2, 'c', 3]]);
  expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.message))).toEqual([
    ['one'],
    'OOM',
    ['three'],
  ]);
});

test('more than a script should do at once is parted; what Redis refuses is refused to all', async () => {
  const sizes: number[] = [];
  const call = createTogether(async (width, ...args) => {
    sizes.push(args.length / Number(width));
    if (sizes.length === 2) throw new Error('READONLY');
    return args.map((arg) => [arg]);
  });
  const answers = await Promise.allSettled(Array.from({ length: 120 }, (_, index) => call(index)));
  expect(sizes).toEqual([50, 50, 20]);
  expect(answers.map(({ status }) => status === 'fulfilled')).toEqual(
    answers.map((_, index) => index < 50 || index >= 100),
  );
});
