/**
 * (m) the order of work: the longest remaining path first, as planq does, against first come, first served. Played on paper
 * with random plans, by the order that planq gives to BullMQ: its priority, then age.
 */
import { jobPriority } from '../../src/flows/order.ts';
import { compileGraph } from '../../src/plan/graph.ts';
import { parsePlan } from '../../src/plan/parse.ts';
import type { Graph, Plan } from '../../src/plan/plan.ts';
import { row } from '../rows.ts';
import { mean, seeded } from '../statistics.ts';
import type { PartFile } from './part.ts';

const PLANS = 200;
const SLOTS = 8;
const SEED = 7;

export const order: PartFile = {
  parts: ['m'],
  measure: async (lab) => {
    const random = seeded(SEED);
    const ratios = Array.from({ length: lab.options.quick ? 20 : PLANS }, () => {
      const { plan, graph } = randomPlan(random);
      const minutes = plan.tasks.map(({ estimate }) => estimate?.maxMinutes ?? 1);
      const byPath = graph.nodes.map((node, at) =>
        jobPriority(plan.tasks[at]?.priority ?? 'medium', node.remainingMinutes),
      );
      const firstCome = graph.nodes.map(() => 1);
      return makespan(graph, minutes, byPath, SLOTS) / makespan(graph, minutes, firstCome, SLOTS);
    });
    const what = `longest path first against first come, ${ratios.length} random plans, ${SLOTS} slots: time of the run`;
    const unit = 'ratio' as const;
    return {
      rows: [
        row({ part: 'm', id: 'order-mean', what: `${what}, mean`, value: mean(ratios), unit }),
        row({ part: 'm', id: 'order-best', what: `${what}, best plan`, value: Math.min(...ratios), unit }),
        row({ part: 'm', id: 'order-worst', what: `${what}, worst plan`, value: Math.max(...ratios), unit }),
      ],
    };
  },
};

/** 60 to 180 tasks in 4 to 9 layers, so that most of the time more is ready than there are slots. */
function randomPlan(random: () => number): { plan: Plan; graph: Graph } {
  const below = (most: number): number => Math.floor(random() * most);
  const count = 60 + below(121);
  const layers = 4 + below(6);
  const layerOf = Array.from({ length: count }, () => below(layers)).sort((a, b) => a - b);
  const tasks = layerOf.map((layer, at) => {
    const before = layerOf.indexOf(layer);
    const needs = before === 0 ? [] : Array.from({ length: below(3) }, () => `t${below(before)}`);
    // Many short ones, few long ones.
    return [
      `t${at}`,
      { needs: [...new Set(needs)], estimate: { minutes: 1 + Math.floor(60 * random() ** 3) } },
    ] as const;
  });
  const text = JSON.stringify({
    name: 'random',
    barrier: 'none',
    defaults: { agent: 'noop' },
    tasks: Object.fromEntries(tasks),
  });
  const parsed = parsePlan(
    { kind: 'file', file: 'plan.json', text },
    { knownAgents: new Set(['noop']), resources: {} },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return { plan: parsed.value.plan, graph: compileGraph(parsed.value.plan) };
}

/** The time that a run takes when every free slot takes the ready task with the lowest rank, the oldest among equals. */
export function makespan(
  { nodes }: Pick<Graph, 'nodes'>,
  minutes: readonly number[],
  ranks: readonly number[],
  slots: number,
): number {
  const open = nodes.map(({ needs }) => new Set(needs.map(({ from }) => from)).size);
  const ready = nodes.map((_, at) => at).filter((at) => open[at] === 0);
  const running: { node: number; endsAt: number }[] = [];
  let now = 0;
  while (ready.length > 0 || running.length > 0) {
    while (ready.length > 0 && running.length < slots) {
      const best = ready.reduce((least, node) => (ranks[node]! < ranks[least]! ? node : least));
      ready.splice(ready.indexOf(best), 1);
      running.push({ node: best, endsAt: now + (minutes[best] ?? 0) });
    }
    running.sort((a, b) => a.endsAt - b.endsAt);
    const { node, endsAt } = running.shift()!;
    now = endsAt;
    for (const dependent of new Set(nodes[node]!.dependents)) {
      open[dependent]!--;
      if (open[dependent] === 0) ready.push(dependent);
    }
  }
  return now;
}
