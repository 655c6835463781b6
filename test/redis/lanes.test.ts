import { expect, test } from 'vitest';
import { Lanes } from '../../src/redis/lanes.ts';

interface Sent {
  lane: number;
  requests: readonly number[];
  answer(answers?: readonly (string | Error)[]): void;
  fail(error: Error): void;
}

function open(lanes: number, most: number, least = 1) {
  const sent: Sent[] = [];
  const calls = new Lanes<number, string>({
    lanes,
    least,
    most,
    send: (lane, requests) =>
      new Promise((resolve, reject) => {
        const answer = (answers?: readonly (string | Error)[]) => resolve(answers ?? requests.map(String));
        sent.push({ lane, requests, answer, fail: reject });
      }),
  });
  return { sent, calls };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('calls of one turn go together, as many as a lane may carry, and wait when all lanes are out', async () => {
  const { sent, calls } = open(2, 2);
  const answers = Promise.all([1, 2, 3, 4, 5].map((request) => calls.call(request)));
  await turn();
  expect(sent.map(({ lane, requests }) => [lane, requests])).toEqual([
    [0, [1, 2]],
    [1, [3, 4]],
  ]);
  sent[1]!.answer();
  await turn();
  expect(sent.slice(2).map(({ lane, requests }) => [lane, requests])).toEqual([[1, [5]]]);
  sent[0]!.answer();
  sent[2]!.answer();
  expect(await answers).toEqual(['1', '2', '3', '4', '5']);
});

test("what one lane's answers led to is sent before the next lane's answers are looked at", async () => {
  const { sent, calls } = open(2, 1);
  const order: string[] = [];
  const perform = async (request: number) => {
    order.push(`answer ${await calls.call(request)}`);
    void calls.call(request + 10);
  };
  void perform(1);
  void perform(2);
  await turn();
  // Both answers come in the same turn of the event loop.
  sent[0]!.answer();
  sent[1]!.answer();
  await expect.poll(() => sent.length).toBe(4);
  expect(order).toEqual(['answer 1', 'answer 2']);
  expect(sent.map(({ requests }) => requests[0])).toEqual([1, 2, 11, 12]);
  expect(sent[2]!.lane).toBe(0);
});

test('an error is for its own call; a sending that fails is for all of its calls, and the lane goes on', async () => {
  const { sent, calls } = open(1, 3);
  const some = Promise.allSettled([calls.call(1), calls.call(2)]);
  await turn();
  sent[0]!.answer([new Error('broken'), 'two']);
  expect((await some).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  const more = Promise.allSettled([calls.call(3), calls.call(4)]);
  await expect.poll(() => sent.length).toBe(2);
  sent[1]!.fail(new Error('READONLY'));
  expect((await more).map((result) => (result as PromiseRejectedResult).reason.message)).toEqual([
    'READONLY',
    'READONLY',
  ]);
  const last = calls.call(5);
  await expect.poll(() => sent.length).toBe(3);
  sent[2]!.answer();
  expect(await last).toBe('5');
});
