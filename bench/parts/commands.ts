/** (k) which commands a task costs: sent by clients, and run inside scripts. A small drain under `MONITOR`, not timed. */
import { type DrainOptions, drainPlanq, drainRaw } from '../drain.ts';
import type { Lab } from '../lab.ts';
import { type CommandCounts, countCommands, topOf, total } from '../monitor.ts';
import { type Row, row } from '../rows.ts';
import type { Detail, PartFile } from './part.ts';

const SYSTEMS = [
  { id: 'raw-1', what: 'raw BullMQ', drain: drainRaw },
  {
    id: 'none-1',
    what: '`barrier: none`',
    drain: (lab: Lab, options: DrainOptions) => drainPlanq(lab, 'none', options),
  },
  {
    id: 'stage-1',
    what: '`barrier: stage`',
    drain: (lab: Lab, options: DrainOptions) => drainPlanq(lab, 'stage', options),
  },
] as const;

export const commands: PartFile = {
  parts: ['k'],
  measure: async (lab) => {
    const tasks = lab.options.quick ? 60 : 300;
    const rows: Row[] = [];
    const details: Detail[] = [];
    for (const { id, what, drain } of SYSTEMS) {
      const counts: CommandCounts[] = [];
      const around = async (work: () => Promise<void>): Promise<unknown> =>
        counts.push(await countCommands(lab.server, isLook, work));
      await drain(lab, { workers: 1, tasks, around });
      const { sent, inside } = counts[0]!;
      rows.push(
        row({
          part: 'k',
          id: `${id}-sent`,
          what: `commands that clients send for a task: ${what}`,
          value: total(sent) / tasks,
          unit: 'count',
        }),
      );
      details.push(
        { name: `${what}: sent by clients, for each task`, lines: topOf(sent, tasks) },
        { name: `${what}: inside scripts, for each task`, lines: topOf(inside, tasks) },
      );
      lab.say(`commands: ${id} ${(total(sent) / tasks).toFixed(1)} sent for a task`);
    }
    return { rows, details };
  },
};

/** How the bench itself looks whether the work is done. */
function isLook([command = '', key = '']: readonly string[]): boolean {
  const name = command.toLowerCase();
  return (
    name === 'monitor' ||
    (name === 'scard' && key.endsWith(':live')) ||
    (name === 'zcard' && /:(ended|completed)$/.test(key))
  );
}
