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
