/**
 * What the scripts and the queues need of a task, as the small JSON that stands in the run record: one per node of the
 * graph, written once at submit. The full definition of a task stands beside it and is read only by the worker that
 * performs it.
 */

/** A share that a task takes while it runs: key, amount, and the capacity where the run itself sets it. */
export type LimitTake = [key: string, amount: number, capacity?: number];

export interface RecordNode {
  id: string;
  /** Master; empty for a gate. */
  m: string;
  /** BullMQ priority, 1 to 2^21 - 1; lower goes first. */
  p: number;
  /** Place in line among waiters, an integer as text (Lua would round it); lower goes first. */
  o: string;
  /** Barrier group; 0 = directly under the run. */
  g: number;
  /** Attempts in all. */
  x: number;
  l: LimitTake[];
  /** `continue-on-error`. */
  c?: 1;
  /** SHA-1 of the task's definition as it was submitted; a task whose definition is another is failed, not run. */
  h?: string;
}

/** As the record keeps it: the limits are one text, which the scripts read faster than lists in a list. */
export function writeNode({ l, ...node }: RecordNode): string {
  return JSON.stringify({
    ...node,
    l: l.map(([key, amount, capacity]) => `${key} ${amount} ${capacity ?? ''}`).join(),
  });
}

/** Reads a node back from the record. */
export function parseNode(text: string): RecordNode {
  const { l, ...node } = JSON.parse(text) as Omit<RecordNode, 'l'> & { l: string };
  return { ...node, l: l === '' ? [] : l.split(',').map(parseTake) };
}

function parseTake(text: string): LimitTake {
  const [key, amount, capacity] = text.split(' ') as [string, string, string];
  return capacity === '' ? [key, Number(amount)] : [key, Number(amount), Number(capacity)];
}
