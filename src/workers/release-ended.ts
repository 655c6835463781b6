/**
 * Nobody waits for a run that has ended. A failed job holds its parents in BullMQ, so that a retry lets the same tree go on,
 * and a job may still sleep in a queue though its task is settled: both let go, and the run job writes the report.
 */
import { stageJobId } from '../flows/compile.ts';
import { parseKey } from '../producer/release-parent.ts';
import { RUNS_QUEUE } from '../redis/keys.ts';
import { type Finding, judgeParent, release } from './audit-parents.ts';
import type { WorkerContext } from './context.ts';

/**
 * @param withBroken also of what will never come, which is told: only when the tree had time to come to its end
 * @returns whether somebody is at work on a job of the tree
 */
export async function releaseEnded(worker: WorkerContext, run: string, withBroken: boolean): Promise<boolean> {
  const own = await judgeParent(worker, run);
  const stages = own.flatMap((finding) => stageOf(worker, finding));
  const nested = await Promise.all(stages.map((stage) => judgeParent(worker, stage)));
  const findings = [...own, ...nested.flat()];
  for (const finding of findings)
    if (finding.verdict === 'release' || (withBroken && finding.verdict === 'broken')) await release(worker, finding);
  return findings.some(({ isActive }) => isActive);
}

function stageOf({ store }: WorkerContext, { run, key, verdict }: Finding): string[] {
  const child = key === null ? null : parseKey(store, key);
  const isStage = child?.queue === RUNS_QUEUE && child.id.startsWith(stageJobId(run, 0).slice(0, -1));
  return isStage && verdict === 'wait' ? [child.id] : [];
}
