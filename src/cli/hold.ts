/** `planq pause` and `planq resume` */
import { type HoldTarget, pause as pauseTarget, resume as resumeTarget } from '../control/steer.ts';
import { describeHold } from '../flows/why-holds.ts';
import { PlanqError } from '../runtime/errors.ts';
import { type Command, EXIT } from './context.ts';
import type { Options } from './options.ts';
import { whoActs } from './who.ts';

export const pause: Command = async (context, [run], options) => {
  const { output, clock } = context;
  const target = toTarget(run, options);
  const held = await pauseTarget(await context.store(), clock, target, whoActs(options), options.comment ?? '');
  const [what, words] = describeHold(held.name);
  if (options.json === true) output.json({ target: held.name, before: held.wasHeld });
  else
    output.print(`${held.wasHeld ? 'Was paused already' : 'Paused'}: ${what}. What runs goes on, nothing new starts.`);
  output.note(`lift the pause with "planq resume ${words}"`);
  return EXIT.ok;
};

export const resume: Command = async (context, [run], options) => {
  const { output } = context;
  const held = await resumeTarget(await context.store(), toTarget(run, options));
  const [what] = describeHold(held.name);
  if (options.json === true) output.json({ target: held.name, before: held.wasHeld });
  else output.print(held.wasHeld ? `Goes on: ${what}` : `Was not paused: ${what}`);
  return EXIT.ok;
};

/** @throws PlanqError `usage` when several things are named */
function toTarget(run: string | undefined, { all, master }: Options): HoldTarget {
  if ([run, master, all].filter((part) => part !== undefined).length > 1)
    throw new PlanqError('usage', 'cannot take more than one of a run, --master and --all', {
      hint: 'name one of them; nothing means the newest run',
    });
  if (all === true) return { kind: 'all' };
  return master === undefined ? { kind: 'run', run } : { kind: 'master', master };
}
