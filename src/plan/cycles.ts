/**
 * Finds circles in "needs": one short example for each knot of tasks that need each other. Iterative, so that a chain of
 * 10,000 tasks does not overflow the stack.
 */

/**
 * @param needs for each node the nodes that it waits for, by index
 * @returns for each knot a shortest circle through its first node, in the direction of waiting; the first node is not repeated
 */
export function findCycles(needs: readonly (readonly number[])[]): number[][] {
  return knots(needs).map((knot) => shortestCircle(needs, knot));
}

/** Strongly connected parts with more than one node, each ascending (Tarjan 1972, with its own stack). */
function knots(needs: readonly (readonly number[])[]): number[][] {
  const order = new Int32Array(needs.length).fill(-1);
  const low = new Int32Array(needs.length);
  const isOpen = new Uint8Array(needs.length);
  const open: number[] = [];
  const found: number[][] = [];
  let clock = 0;
  const enter = (node: number): { node: number; next: number } => {
    order[node] = low[node] = clock++;
    open.push(node);
    isOpen[node] = 1;
    return { node, next: 0 };
  };
  const leave = (node: number): void => {
    if (low[node] !== order[node]) return;
    const knot = open.splice(open.lastIndexOf(node));
    for (const member of knot) isOpen[member] = 0;
    if (knot.length > 1) found.push(knot.sort((a, b) => a - b));
  };
  for (let root = 0; root < needs.length; root++) {
    if (order[root] !== -1) continue;
    const frames = [enter(root)];
    while (frames.length > 0) {
      const frame = frames.at(-1)!;
      const target = needs[frame.node]![frame.next++];
      if (target === undefined) {
        frames.pop();
        leave(frame.node);
        const parent = frames.at(-1);
        if (parent !== undefined) low[parent.node] = Math.min(low[parent.node]!, low[frame.node]!);
      } else if (order[target] === -1) frames.push(enter(target));
      else if (isOpen[target]) low[frame.node] = Math.min(low[frame.node]!, order[target]!);
    }
  }
  return found.sort((a, b) => a[0]! - b[0]!);
}

/** Breadth first from the knot's first node back to itself. */
function shortestCircle(needs: readonly (readonly number[])[], knot: readonly number[]): number[] {
  const members = new Set(knot);
  const start = knot[0]!;
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (let head = 0; head < queue.length; head++) {
    const node = queue[head]!;
    for (const target of needs[node]!) {
      if (target === start) return pathTo(node, cameFrom, start);
      if (!members.has(target) || cameFrom.has(target)) continue;
      cameFrom.set(target, node);
      queue.push(target);
    }
  }
  return [...knot];
}

function pathTo(node: number, cameFrom: ReadonlyMap<number, number>, start: number): number[] {
  const path = [node];
  while (path[0] !== start) path.unshift(cameFrom.get(path[0]!)!);
  return path;
}
