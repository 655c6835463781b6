/** `planq approve <run> <task>` and `planq reject <run> <task>` */
import { decide, type Verdict } from '../control/decide.ts';
import { type Command, EXIT } from './context.ts';
import { whoActs } from './who.ts';
import { tellUnserved } from './work.ts';

const DONE: Readonly<Record<Verdict, string>> = { approve: 'Approved', reject: 'Rejected' };

export const approve: Command = decideAs('approve');
export const reject: Command = decideAs('reject');

function decideAs(verdict: Verdict): Command {
  return async (context, [run, subject], options) => {
    const { output, clock } = context;
    const decision = { by: whoActs(options), comment: options.comment ?? '' };
    const decided = await decide(await context.store(), clock, run, subject ?? '', verdict, decision);
    if (options.json === true) output.json({ ...decided, ...decision });
    else output.print(`${DONE[verdict]} ${decided.subject} of run ${decided.runId}, by ${decision.by}`);
    await tellUnserved(context, decided.runId);
    return EXIT.ok;
  };
}
