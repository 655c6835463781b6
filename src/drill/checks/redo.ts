/** `planq retry` runs what failed and nothing else; the same key gives the same run. */
import { writeFile } from 'node:fs/promises';
import { retryRun } from '../../control/retry-run.ts';
import type { RunView } from '../../flows/run-view.ts';
import type { Entry } from '../journal.ts';
import type { Lab } from '../lab.ts';
import { startsOf } from '../look.ts';
import { type Count, count, countOther, type Findings } from '../verdict.ts';

/** Agents that each task has in all: the one that fails has one attempt each time. */
const AGENTS = { done: 1, next: 1, broken: 2, after: 1 };
const TIMES = 4;

export async function checkRedo(lab: Lab): Promise<Findings> {
  const healed = lab.path('healed');
  const plan = {
    tasks: {
      done: lab.task(),
      next: lab.task({}, { needs: 'done' }),
      broken: lab.task({ needsFile: healed }, { needs: 'done', retries: 0 }),
      after: lab.task({}, { needs: ['next', 'broken'] }),
    },
  };
  const key = 'drill-redo';
  const together = await Promise.all(Array.from({ length: TIMES - 1 }, () => lab.submit(plan, { key })));
  const runId = together[0]!.runId;
  const first = await lab.rested(runId);
  await writeFile(healed, '');
  const { retried } = await retryRun(lab.site.store, lab.clock, runId);
  const view = await lab.rested(runId);
  const submitted = [...together, await lab.submit(plan, { key })];
  const seen = { first, retried, view, submitted, entries: await lab.journal(runId) };
  return { counts: judgeRedo(seen), facts: [`1 run submitted ${TIMES} times under one key, 1 of 4 tasks failed`] };
}

export interface Redone {
  /** Before the retry, and after. */
  first: RunView;
  view: RunView;
  retried: readonly string[];
  submitted: readonly { runId: string; created: boolean }[];
  entries: readonly Entry[];
}

export function judgeRedo({ first, view, retried, submitted, entries }: Redone): Count[] {
  const before = { done: 'completed', next: 'completed', broken: 'failed', after: 'blocked' } as const;
  return [
    count(
      'states before otherwise',
      countOther(before, (id) => first.tasks.find((task) => task.id === id)?.state),
    ),
    count('retried otherwise', retried.join() === 'broken' ? 0 : 1),
    count(
      'agents otherwise',
      countOther(AGENTS, (id) => startsOf(entries, id).length),
    ),
    count('runs of one key', new Set(submitted.map(({ runId }) => runId)).size, 1),
    count('made twice', submitted.filter(({ created }) => created).length - 1),
    count('not completed', view.run.counts.total - view.run.counts.completed),
  ];
}
