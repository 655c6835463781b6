/**
 * What would start when, if every task took its estimate's upper bound and completed. Starts nothing.
 */
import { maxMinutes } from './graph.ts';
import { finalStates } from './model.ts';
import type { Graph, Plan, Priority, Task } from './plan.ts';

export interface RunLimits {
  /** Most agents at once. */
  agents: number;
  /** Phase → most tasks at once; a phase that is not here is unlimited. */
  phases: Readonly<Record<string, number>>;
  masters: Readonly<Record<string, number>>;
  resources: Readonly<Record<string, number>>;
}

export interface PlannedStart {
  task: string;
  startMinute: number;
  endMinute: number;
}

const RANK: Record<Priority, number> = { critical: 0, high: 1, medium: 2, low: 3 };

/**
 * Plays the run through. Ready tasks start by priority, then longest remaining path, then plan order; a task that does not
 * fit lets others go first, except where they would take the resource that it waits for.
 * @returns the starts in order; tasks that would be skipped, or that fit into no limit, are not in it
 */
export function simulate(plan: Plan, graph: Graph, limits: RunLimits): PlannedStart[] {
  return new DryRun(plan, graph, limits).run();
}

class DryRun {
  readonly #plan: Plan;
  readonly #graph: Graph;
  readonly #free: Map<string, number>;
  /** Needs of each node that have not ended. */
  readonly #open: number[];
  readonly #runs: boolean[];
  readonly #ready: number[] = [];
  readonly #starts: PlannedStart[] = [];
  #running: { index: number; endMinute: number }[] = [];

  constructor(plan: Plan, graph: Graph, limits: RunLimits) {
    this.#plan = plan;
    this.#graph = graph;
    this.#free = toCapacities(limits);
    this.#open = graph.nodes.map(({ needs }) => new Set(needs.map(({ from }) => from)).size);
    this.#runs = finalStates(graph, () => 'completed').map(({ state }) => state === 'completed');
  }

  run(): PlannedStart[] {
    this.#release(this.#graph.nodes.filter(({ needs }) => needs.length === 0).map(({ index }) => index));
    for (let minute = 0; ; minute = this.#nextEnd()) {
      this.#end(minute);
      this.#startWhatFits(minute);
      if (this.#running.length === 0) return this.#starts;
    }
  }

  #nextEnd(): number {
    return this.#running.reduce((first, { endMinute }) => Math.min(first, endMinute), Number.POSITIVE_INFINITY);
  }

  #end(minute: number): void {
    const ended = this.#running.filter(({ endMinute }) => endMinute <= minute);
    if (ended.length === 0) return;
    this.#running = this.#running.filter(({ endMinute }) => endMinute > minute);
    for (const { index } of ended) this.#give(this.#plan.tasks[index]!, 1);
    this.#release(ended.flatMap(({ index }) => this.#lower(index)));
  }

  /** Nodes without open needs: tasks become ready; gates and skipped tasks take no time and open what waits for them. */
  #release(nodes: readonly number[]): void {
    const queue = [...nodes];
    for (let head = 0; head < queue.length; head++) {
      const index = queue[head]!;
      if (index < this.#graph.taskCount && this.#runs[index]) this.#ready.push(index);
      else queue.push(...this.#lower(index));
    }
    this.#ready.sort((a, b) => this.#compare(a, b));
  }

  #lower(index: number): number[] {
    return this.#graph.nodes[index]!.dependents.filter((dependent) => --this.#open[dependent]! === 0);
  }

  #startWhatFits(minute: number): void {
    const reserved = new Set<string>();
    const waiting: number[] = [];
    for (const [place, index] of this.#ready.entries()) {
      if (this.#free.get('agents')! < 1) {
        waiting.push(...this.#ready.slice(place));
        break;
      }
      const task = this.#plan.tasks[index]!;
      const lacking = this.#lacking(task, reserved);
      if (lacking.length === 0) this.#start(task, index, minute);
      else {
        for (const name of lacking) if (name.startsWith('resource:')) reserved.add(name);
        waiting.push(index);
      }
    }
    this.#ready.splice(0, this.#ready.length, ...waiting);
  }

  #start(task: Task, index: number, minute: number): void {
    const endMinute = minute + maxMinutes(task);
    this.#give(task, -1);
    this.#running.push({ index, endMinute });
    this.#starts.push({ task: task.id, startMinute: minute, endMinute });
  }

  #lacking(task: Task, reserved: ReadonlySet<string>): string[] {
    const isLacking = ([name, amount]: [string, number]): boolean =>
      reserved.has(name) || (this.#free.get(name) ?? Number.POSITIVE_INFINITY) < amount;
    return shares(task)
      .filter(isLacking)
      .map(([name]) => name);
  }

  #give(task: Task, sign: 1 | -1): void {
    for (const [name, amount] of shares(task)) {
      const free = this.#free.get(name);
      if (free !== undefined) this.#free.set(name, free + sign * amount);
    }
  }

  #compare(a: number, b: number): number {
    const rank = RANK[this.#plan.tasks[a]!.priority] - RANK[this.#plan.tasks[b]!.priority];
    return rank || this.#graph.nodes[b]!.remainingMinutes - this.#graph.nodes[a]!.remainingMinutes || a - b;
  }
}

function toCapacities({ agents, phases, masters, resources }: RunLimits): Map<string, number> {
  const named = (kind: string, limits: Readonly<Record<string, number>>): [string, number][] =>
    Object.entries(limits).map(([name, capacity]) => [`${kind}:${name}`, capacity]);
  return new Map([
    ['agents', agents],
    ...named('phase', phases),
    ...named('master', masters),
    ...named('resource', resources),
  ]);
}

function shares({ phase, master, takes }: Task): [string, number][] {
  return [
    ['agents', 1],
    [`phase:${phase}`, 1],
    [`master:${master}`, 1],
    ...Object.entries(takes).map(([name, amount]): [string, number] => [`resource:${name}`, amount]),
  ];
}
