import { expect, test } from 'vitest';
import { Slots } from '../../src/workers/slots.ts';

test('gives as many as there are, then in the order of asking', async () => {
  const slots = new Slots(2);
  const order: number[] = [];
  await slots.take();
  await slots.take();
  expect(slots.free).toBe(0);
  const waiting = [1, 2].map((id) => slots.take().then(() => order.push(id)));
  slots.give();
  await waiting[0];
  expect(order).toEqual([1]);
  slots.give();
  await waiting[1];
  expect(order).toEqual([1, 2]);
  slots.give();
  slots.give();
  expect(slots.free).toBe(2);
});

test('one that must be alone waits for the others, and two of them never wait for each other', async () => {
  const slots = new Slots(3);
  const order: string[] = [];
  await slots.take();
  await slots.take();
  await slots.take();
  const first = slots.takeRest().then((giveRest) => {
    order.push('first alone');
    return giveRest;
  });
  const second = slots.takeRest().then((giveRest) => {
    order.push('second alone');
    return giveRest;
  });
  const neighbour = slots.take().then(() => order.push('neighbour'));
  slots.give();
  await neighbour;
  expect(order).toEqual(['neighbour']);
  slots.give();
  const giveRest = await first;
  expect(slots.free).toBe(0);
  giveRest();
  slots.give();
  (await second)();
  slots.give();
  expect(order).toEqual(['neighbour', 'first alone', 'second alone']);
  expect(slots.free).toBe(3);
});
