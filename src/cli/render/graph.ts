/** The shape of a plan: its stages, what each task waits for, the longest path. Pure. */
import type { CriticalPath } from '../../plan/estimate.ts';
import type { Need, Task } from '../../plan/plan.ts';
import type { LoadedPlan } from '../../producer/load-plan.ts';
import { nameSome } from '../live/lines.ts';
import type { Line } from '../terminal/style.ts';
import { toTable } from '../terminal/table.ts';
import { clean, count } from '../terminal/text.ts';
import { formatRange } from './minutes.ts';

export function renderGraph({ plan, graph }: LoadedPlan, path: CriticalPath): Line[] {
  const byId = new Map(plan.tasks.map((task) => [task.id, task]));
  const critical = new Set(path.tasks);
  const rows = graph.stages.flatMap((stage, at) =>
    stage.map((id) => {
      const task = byId.get(id)!;
      return [
        String(at + 1),
        critical.has(id) ? `${id} *` : id,
        task.phase,
        task.master,
        estimateText(task),
        task.needs.map(needText).join(', '),
      ];
    }),
  );
  const needs = plan.tasks.reduce((sum, task) => sum + task.needs.length, 0);
  const widest = graph.stages.reduce((most, stage) => Math.max(most, stage.length), 0);
  return [
    [{ text: clean(plan.name), color: 'bold' }],
    [
      `${count(plan.tasks.length, 'task')}, ${count(needs, 'need')}, ${count(graph.stages.length, 'stage')}, at most ${widest} side by side, barrier ${plan.barrier}`,
    ],
    [],
    ...toTable([' stage', 'task', 'phase', 'master', ' estimate', 'needs'], rows),
    [],
    ...undoableLines(plan.tasks),
    [`Critical path (*), ${hoursText(path)}: ${path.tasks.join(' → ')}`],
  ];
}

/** Which tasks can be undone; nothing when none can. */
export function undoableLines(tasks: readonly Task[]): Line[] {
  const ids = tasks.filter(({ undo }) => undo !== undefined).map(({ id }) => clean(id));
  return ids.length === 0 ? [] : [[`Can be undone: ${nameSome(ids, NAMED_AT_MOST)}`]];
}

const NAMED_AT_MOST = 10;

export interface GraphJson {
  name: string;
  barrier: string;
  counts: { tasks: number; needs: number; stages: number; phases: number };
  stages: string[][];
  phases: string[];
  criticalPath: CriticalPath & { minHours: number; maxHours: number };
  tasks: { id: string; title: string; stage: number; phase: string; master: string; needs: Need[]; undo?: true }[];
}

export function toGraphJson({ plan, graph }: LoadedPlan, path: CriticalPath): GraphJson {
  return {
    name: plan.name,
    barrier: plan.barrier,
    counts: {
      tasks: plan.tasks.length,
      needs: plan.tasks.reduce((sum, task) => sum + task.needs.length, 0),
      stages: graph.stages.length,
      phases: graph.phases.length,
    },
    stages: graph.stages,
    phases: graph.phases,
    criticalPath: { ...path, minHours: toHours(path.minMinutes), maxHours: toHours(path.maxMinutes) },
    tasks: plan.tasks.map(({ id, title, phase, master, needs, undo }, index) => ({
      id,
      title,
      stage: graph.nodes[index]!.stage,
      phase,
      master,
      needs,
      ...(undo === undefined ? {} : { undo: true as const }),
    })),
  };
}

function needText({ task, when }: Need): string {
  return when === 'success' ? task : `${task} (when ${when})`;
}

function estimateText({ estimate }: Task): string {
  if (estimate === null) return '';
  const { minMinutes, maxMinutes } = estimate;
  return formatRange(minMinutes, maxMinutes);
}

/** `1.1 to 1.5 hours`. */
function hoursText({ minMinutes, maxMinutes }: CriticalPath): string {
  const [low, high] = [toHours(minMinutes), toHours(maxMinutes)];
  return `${low === high ? high : `${low} to ${high}`} hours`;
}

/** To a tenth, so that it reads well; to a hundredth below one hour. */
function toHours(minutes: number): number {
  const places = minutes < 60 ? 100 : 10;
  return Math.round((minutes / 60) * places) / places;
}
