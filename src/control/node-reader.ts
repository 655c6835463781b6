/** What a task needs and because of what it is blocked, with the states of those nodes. */
import { parseNode } from '../flows/node.ts';
import { parseTaskRecord, type TaskRecord } from '../flows/run-view.ts';
import type { FailedRoot, NeedFact } from '../flows/why-facts.ts';
import type { Store } from '../producer/store.ts';
import { readEdges } from './read-graph.ts';

/** Looks at some nodes of a run, tasks and gates alike. */
export class NodeReader {
  constructor(
    private readonly store: Store,
    private readonly run: string,
    private readonly gates: ReadonlyMap<number, string>,
    private readonly taskCount: number,
  ) {}

  async needs(index: number): Promise<NeedFact[]> {
    const [needs] = await this.store.record.readFields(this.run, 'needs', [index]);
    const found = await this.#read(readEdges(needs));
    return Promise.all(
      found.map(async ({ index: at, id, isGate, record }) => ({
        id,
        isGate,
        state: record.s,
        wantsApproval: isGate && record.ap === 1,
        missing: isGate && record.s === 'pending' ? await this.#missing(at) : [],
      })),
    );
  }

  async roots(indexes: readonly number[]): Promise<FailedRoot[]> {
    const found = await this.#read([...indexes].sort((a, b) => a - b));
    return found.map(({ id, isGate, record }) => ({ id, isGate, reason: record.r ?? null }));
  }

  /** What a gate waits for that has not ended; the gate before it stands for all before that. */
  async #missing(gate: number): Promise<NeedFact['missing']> {
    const [needs] = await this.store.record.readFields(this.run, 'needs', [gate]);
    const found = await this.#read(readEdges(needs));
    return found
      .filter(({ record }) => ['pending', 'ready', 'running', 'parked'].includes(record.s))
      .map(({ id, record }) => ({ id, state: record.s }));
  }

  async #read(
    indexes: readonly number[],
  ): Promise<{ index: number; id: string; isGate: boolean; record: TaskRecord }[]> {
    const [records, nodes] = await Promise.all([
      this.store.record.readFields(this.run, 'tasks', indexes),
      this.store.record.readFields(this.run, 'nodes', indexes),
    ]);
    return indexes.map((index, at) => ({
      index,
      id: this.gates.get(index) ?? parseNode(nodes[at]!).id,
      isGate: index >= this.taskCount,
      record: parseTaskRecord(records[at]),
    }));
  }
}
