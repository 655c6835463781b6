/**
 * Orders nodes so that each comes after what it waits for (Kahn 1962). Iterative and linear.
 */

/**
 * @param needs for each node the nodes that it waits for, by index
 * @returns all indexes, those of one generation ascending; shorter than `needs` when there is a circle
 */
export function topologicalOrder(needs: readonly (readonly number[])[]): number[] {
  const open = Int32Array.from(needs, (list) => list.length);
  const dependents = dependentsOf(needs);
  const order: number[] = [];
  for (let node = 0; node < needs.length; node++) if (open[node] === 0) order.push(node);
  for (let head = 0; head < order.length; head++) {
    for (const dependent of dependents[order[head]!]!) {
      open[dependent]!--;
      if (open[dependent] === 0) order.push(dependent);
    }
  }
  return order;
}

/** For each node the nodes that wait for it, ascending; a node that waits twice is there twice. */
export function dependentsOf(needs: readonly (readonly number[])[]): number[][] {
  const dependents: number[][] = needs.map(() => []);
  for (const [node, list] of needs.entries()) for (const need of list) dependents[need]!.push(node);
  return dependents;
}
