/** Twelve tasks that each take one of two: never three at once, and nothing left in use when they have ended. */
import type { RunView } from '../../flows/run-view.ts';
import { mostInUse } from '../count.ts';
import type { Entry } from '../journal.ts';
import type { Lab } from '../lab.ts';
import { type Count, count, type Findings } from '../verdict.ts';

const TASKS = 12;
const CAPACITY = 2;

export async function checkLimits(lab: Lab): Promise<Findings> {
  const task = lab.task({ work: 200, ticks: true, takes: 1 }, { takes: { slots: 1 } });
  const tasks = Object.fromEntries(Array.from({ length: TASKS }, (_, at) => [`t${at}`, task]));
  const { runId } = await lab.submit({ limits: { resources: { slots: CAPACITY } }, tasks });
  let recorded = 0;
  const isOver = async (): Promise<boolean> => {
    recorded = Math.max(recorded, (await readUse(lab))['res:slots'] ?? 0);
    const { completed, failed, blocked } = await readCounts(lab, runId);
    return completed + failed + blocked === TASKS;
  };
  await lab.until('all tasks have ended', isOver, 60_000);
  const view = await lab.rested(runId);
  const left = Object.values(await readUse(lab)).reduce((sum, value) => sum + Math.abs(value), 0);
  return {
    counts: judgeLimits({ view, entries: await lab.journal(runId), recorded, left }),
    facts: [`${TASKS} tasks, each takes 1 of ${CAPACITY}, 2 workers`],
  };
}

export interface Limited {
  view: RunView;
  entries: readonly Entry[];
  /** The most that the record ever said. */
  recorded: number;
  /** In use when all was over. */
  left: number;
}

export function judgeLimits({ view, entries, recorded, left }: Limited): Count[] {
  return [
    count('most at once', mostInUse(entries), CAPACITY),
    count('most recorded', recorded, CAPACITY),
    count('left in use', left),
    count('not completed', TASKS - view.run.counts.completed),
  ];
}

async function readUse({ site: { store } }: Lab): Promise<Record<string, number>> {
  const used = await store.redis.hgetall(store.keys.used);
  return Object.fromEntries(Object.entries<string>(used).map(([name, value]) => [name, Number(value)]));
}

async function readCounts(
  { site: { store } }: Lab,
  run: string,
): Promise<Record<'completed' | 'failed' | 'blocked', number>> {
  const meta = await store.record.readMeta(run);
  const read = (state: string): number => Number(meta?.[`n:${state}`] ?? 0);
  return { completed: read('completed'), failed: read('failed'), blocked: read('blocked') };
}
