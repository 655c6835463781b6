/**
 * Valid plan and graph → what the run record stores: nodes, edges in both directions, open-needs counts, definitions.
 */
import { createHash } from 'node:crypto';
import { approvalGroup } from '../plan/check-approvals.ts';
import type { EdgeCondition, Graph, GraphNode, Plan, Task } from '../plan/plan.ts';
import { writeDefinition } from './definition.ts';
import { type LimitTake, type RecordNode, writeNode } from './node.ts';
import { jobPriority, placeInLine } from './order.ts';

export interface CompiledRecord {
  nodes: string[];
  /** Per node: its dependents as `<index><condition>`, comma separated. */
  deps: string[];
  /** Per node: what it needs, in the same form. */
  needs: string[];
  open: number[];
  defs: string[];
  roots: number[];
  /** Barrier group → index of the gate that closes it; the last group has none. */
  gates: Record<number, number>;
  /** Nodes that wait for a person: tasks marked so, and gates. */
  approvals: number[];
  /** Names of the limits that are the run's own. */
  limits: string[];
}

export interface RecordOptions {
  run: string;
  createdAt: number;
  /** Most tasks of a phase at once; a phase without an entry is not limited. */
  phaseLimits: Record<string, number>;
  /** Most agents of this run at once; null = only the fleet's limit. */
  agents: number | null;
}

/** One letter per condition; the scripts' `verdict` reads them. */
const LETTER: Record<EdgeCondition, string> = { success: 's', done: 'd', failed: 'f', passed: 'p' };

/** Compiles the record of one run. Pure. */
export function compileRecord(plan: Plan, graph: Graph, options: RecordOptions): CompiledRecord {
  const dependents = graph.nodes.map((): string[] => []);
  for (const node of graph.nodes) {
    for (const need of node.needs) dependents[need.from]!.push(`${node.index}${LETTER[need.when]}`);
  }
  const own = ownLimits(plan.tasks, options);
  const nodes = graph.nodes.map((node) => recordNode(node, plan.tasks[node.index], own, options));
  const defs = plan.tasks.map((task, index) => writeDefinition({ ...task, stage: graph.nodes[index]!.stage }));
  return {
    nodes: nodes.map((node, index) => writeNode({ ...node, ...printOf(defs[index]) })),
    limits: [...own.keys()],
    deps: dependents.map((list) => list.join(',')),
    needs: graph.nodes.map((node) => node.needs.map((need) => `${need.from}${LETTER[need.when]}`).join(',')),
    open: graph.nodes.map((node) => node.needs.length),
    defs,
    roots: graph.nodes.filter((node) => node.kind === 'task' && node.needs.length === 0).map((node) => node.index),
    approvals: [
      ...plan.tasks.flatMap((task, index) => (task.approval === true ? [index] : [])),
      ...approvalGates(plan, graph),
    ],
    gates: Object.fromEntries(
      graph.nodes.flatMap((node) => (/^gate:\d+$/.test(node.id) ? [[node.group, node.index]] : [])),
    ),
  };
}

/** Redis works it out again at every claim (`sha1hex`); it finds mistakes and meddling, not a thief who knows both places. */
function printOf(def: string | undefined): Pick<RecordNode, 'h'> {
  return def === undefined ? {} : { h: createHash('sha1').update(def).digest('hex') };
}

/** Both gates before a phase wait, so that no task of it starts unapproved. */
function approvalGates(plan: Plan, graph: Graph): number[] {
  const closed = new Set((plan.approvals ?? []).map((entry) => (approvalGroup(plan, entry) ?? 0) - 1));
  return graph.nodes.filter((node) => node.kind === 'gate' && closed.has(node.group)).map((node) => node.index);
}

function recordNode(
  node: GraphNode,
  task: Task | undefined,
  own: ReadonlyMap<string, number>,
  options: RecordOptions,
): RecordNode {
  if (node.kind === 'gate' || task === undefined)
    return { id: node.id, m: '', p: 0, o: '0', g: node.group, x: 0, l: [] };
  return {
    id: task.id,
    m: task.master,
    p: jobPriority(task.priority, node.remainingMinutes),
    o: placeInLine(task.priority, node.remainingMinutes, options.createdAt),
    g: node.group,
    x: task.attempts,
    l: limitTakes(task, own),
    ...(task.continueOnError ? { c: 1 as const } : {}),
  };
}

/** The limits that the run itself sets, each with its capacity; without those that all its tasks together cannot reach. */
function ownLimits(tasks: readonly Task[], { phaseLimits, agents }: RecordOptions): Map<string, number> {
  const limits = new Map<string, number>();
  const amounts = new Map<string, number>();
  for (const { phase } of tasks) amounts.set(phase, (amounts.get(phase) ?? 0) + 1);
  for (const [phase, amount] of amounts) {
    const capacity = phaseLimits[phase];
    if (capacity !== undefined && amount > capacity) limits.set(`phase:${phase}`, capacity);
  }
  if (agents !== null && tasks.length > agents) limits.set('agents', agents);
  return limits;
}

/** The run's own limits first, then shared resources by name, then the fleet's agents: the order in which they are looked at. */
function limitTakes(task: Task, own: ReadonlyMap<string, number>): LimitTake[] {
  const takes: LimitTake[] = [];
  for (const name of [`phase:${task.phase}`, 'agents']) {
    const capacity = own.get(name);
    if (capacity !== undefined) takes.push([name, 1, capacity]);
  }
  for (const name of Object.keys(task.takes).sort()) takes.push([`res:${name}`, task.takes[name]!]);
  takes.push(['agents', 1]);
  return takes;
}
