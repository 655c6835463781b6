/**
 * Which tasks have surely ended when a task starts. One bit for each pair, so that 10,000 tasks take 12 MB and no recursion.
 */
import { topologicalOrder } from './order.ts';

/** Asks whether `ancestor` is waited for by `node`, over any number of needs. */
export type IsAncestor = (ancestor: number, node: number) => boolean;

/**
 * @param needs for each node the nodes that it waits for, by index; without circles
 */
export function findAncestors(needs: readonly (readonly number[])[]): IsAncestor {
  const words = Math.ceil(needs.length / 32);
  const bits = new Uint32Array(words * needs.length);
  for (const node of topologicalOrder(needs)) {
    const own = bits.subarray(node * words, (node + 1) * words);
    for (const need of needs[node]!) {
      const other = bits.subarray(need * words, (need + 1) * words);
      for (let word = 0; word < words; word++) own[word]! |= other[word]!;
      own[need >>> 5]! |= 1 << (need & 31);
    }
  }
  return (ancestor, node) => (bits[node * words + (ancestor >>> 5)]! & (1 << (ancestor & 31))) !== 0;
}
