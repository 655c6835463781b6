/** A task that fails is tried again; one that fails for good blocks what needs it, and nothing else. */
import type { RunView } from '../../flows/run-view.ts';
import type { TaskState } from '../../plan/states.ts';
import type { Entry } from '../journal.ts';
import type { Lab } from '../lab.ts';
import { startsOf } from '../look.ts';
import { type Count, count, countOther, type Findings } from '../verdict.ts';

const STATES: Readonly<Record<string, TaskState>> = {
  flaky: 'completed',
  after: 'completed',
  doomed: 'failed',
  blocked: 'blocked',
  further: 'blocked',
  bystander: 'completed',
};

/** Agents that each task has in all. */
const ATTEMPTS = { flaky: 3, after: 1, doomed: 3, blocked: 0, further: 0, bystander: 1 };

export async function checkFail(lab: Lab): Promise<Findings> {
  const { runId } = await lab.submit({
    tasks: {
      flaky: lab.task({ failTimes: 2 }),
      after: lab.task({}, { needs: 'flaky' }),
      doomed: lab.task({ failTimes: 100 }),
      blocked: lab.task({}, { needs: 'doomed' }),
      further: lab.task({}, { needs: 'blocked' }),
      bystander: lab.task(),
    },
  });
  const view = await lab.rested(runId);
  return {
    counts: judgeFail(view, await lab.journal(runId)),
    facts: ['1 task that fails twice, 1 that fails for good, 2 behind it'],
  };
}

export function judgeFail({ run, tasks }: RunView, entries: readonly Entry[]): Count[] {
  return [
    count(
      'states otherwise',
      countOther(STATES, (id) => tasks.find((task) => task.id === id)?.state),
    ),
    count(
      'attempts otherwise',
      countOther(ATTEMPTS, (id) => startsOf(entries, id).length),
    ),
    count('run not blocked', run.state === 'blocked' ? 0 : 1),
  ];
}
