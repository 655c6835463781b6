/** An agent that shows no progress is stopped with all that it started and tried again; one over its time fails. */
import type { RunView } from '../../flows/run-view.ts';
import type { Entry } from '../journal.ts';
import type { Lab } from '../lab.ts';
import { startsOf, survivorsOf } from '../look.ts';
import { ZOMBIE_MS } from '../site.ts';
import { type Count, count, countOther, type Findings } from '../verdict.ts';

/** One in the agent's group, one in a session of its own. */
const CHILDREN = 2;

export async function checkHang(lab: Lab): Promise<Findings> {
  const { runId } = await lab.submit({
    tasks: {
      hangs: lab.task({ hangTimes: 1, ignoreTerm: true, children: CHILDREN }),
      slow: lab.task({ work: 600_000, ticks: true, children: CHILDREN }, { timeout: '2s', retries: 0 }),
    },
  });
  const view = await lab.rested(runId);
  const entries = await lab.journal(runId);
  const survivors = startsOf(entries).flatMap(survivorsOf);
  return {
    counts: judgeHang(view, entries, survivors.length),
    facts: [
      `an agent deaf to TERM with ${CHILDREN} deaf children, 1 in a session of its own`,
      `hung after ${ZOMBIE_MS} ms, over its time after 2000 ms`,
    ],
  };
}

export function judgeHang({ tasks }: RunView, entries: readonly Entry[], survivors: number): Count[] {
  const states = { hangs: 'completed', slow: 'failed' } as const;
  const slow = tasks.find(({ id }) => id === 'slow');
  return [
    count('survivors', survivors),
    count(
      'states otherwise',
      countOther(states, (id) => tasks.find((task) => task.id === id)?.state),
    ),
    count(
      'attempts otherwise',
      countOther({ hangs: 2, slow: 1 }, (id) => startsOf(entries, id).length),
    ),
    count('failed for another reason', slow?.reason === 'Timeout' ? 0 : 1),
  ];
}
