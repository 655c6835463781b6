/** The order in which a plan's tasks would start. Pure. */
import type { PlannedStart, RunLimits } from '../../plan/dry-run.ts';
import type { LoadedPlan } from '../../producer/load-plan.ts';
import type { Line } from '../terminal/style.ts';
import { toTable } from '../terminal/table.ts';
import { clean, count } from '../terminal/text.ts';
import { undoableLines } from './graph.ts';
import { formatMinutes } from './minutes.ts';

export function renderDryRun({ plan, graph }: LoadedPlan, starts: readonly PlannedStart[], limits: RunLimits): Line[] {
  const byId = new Map(plan.tasks.map((task, index) => [task.id, { task, stage: graph.nodes[index]!.stage }]));
  const end = starts.reduce((most, { endMinute }) => Math.max(most, endMinute), 0);
  const rows = starts.map(({ task: id, startMinute, endMinute }) => {
    const { task, stage } = byId.get(id)!;
    return [
      `Would launch: ${id}`,
      `at ${formatMinutes(startMinute)}`,
      `for ${formatMinutes(endMinute - startMinute)}`,
      String(stage),
      task.phase,
      task.master,
      task.agent ?? '',
    ];
  });
  const missing = plan.tasks.filter(({ id }) => !starts.some(({ task }) => task === id));
  return [
    [
      { text: clean(plan.name), color: 'bold' },
      `: ${count(plan.tasks.length, 'task')} in ${count(graph.stages.length, 'stage')}, at most ${count(limits.agents, 'agent')} at once. Nothing is started.`,
    ],
    ...toTable(['task', 'start', 'time', ' stage', 'phase', 'master', 'agent'], rows),
    [`It would take ${formatMinutes(end)} by the upper bounds of the estimates.`],
    ...undoableLines(plan.tasks),
    ...missing.map((task): Line => [`Would not start: ${task.id}`]),
  ];
}
