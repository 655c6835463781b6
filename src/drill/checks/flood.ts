/** An agent that writes far more than anybody wants: the log stays within its limit, the worker small, the end readable. */
import { open, stat } from 'node:fs/promises';
import { LOG_LIMIT_BYTES } from '../../agents/log-cap.ts';
import { taskPaths } from '../../producer/workspace.ts';
import type { Lab } from '../lab.ts';
import { memoryOf } from '../look.ts';
import { type Count, count, type Findings } from '../verdict.ts';

const FLOOD_BYTES = 200_000_000;
/** What a worker may grow by: half of what is written. */
const GROWTH_BYTES = FLOOD_BYTES / 2;
const MB = 1_000_000;
/** After the flood, so that its last line does not fall into a cut, which may lose some. */
const CALM_MS = 1000;
const LAST_LINE = / is over$/;

export async function checkFlood(lab: Lab): Promise<Findings> {
  const workers = await lab.fleet.fill();
  const before = new Map(workers.map(({ id, pid }) => [id, memoryOf(pid).now]));
  const { runId, workspace } = await lab.submit({
    tasks: { flood: lab.task({ floodBytes: FLOOD_BYTES, work: CALM_MS }) },
  });
  await lab.rested(runId);
  const { w = '', s } = await lab.record(runId);
  const { logFile } = taskPaths(lab.site.folder, workspace, 'flood');
  const { peak } = memoryOf(lab.fleet.find(w)?.pid ?? 0);
  const seen = {
    logBytes: (await stat(logFile)).size,
    lastLogged: await readLastLine(logFile),
    lastKept: (await lab.site.store.record.readTail(runId, 0)).at(-1) ?? '',
    // Where the system does not tell, there is nothing to judge.
    growthBytes: lab.tier === 'C' ? null : peak - (before.get(w) ?? 0),
    isCompleted: s === 'completed',
  };
  const facts = [`${FLOOD_BYTES / MB} MB written`];
  if (lab.tier === 'C') facts.push("the worker's memory was not measured: no /proc here");
  else facts.push(`the worker's peak ${Math.round(peak / MB)} MB`);
  return { counts: judgeFlood(seen), facts };
}

export interface Flooded {
  logBytes: number;
  /** In the file, and in Redis. */
  lastLogged: string;
  lastKept: string;
  /** The worker's peak less what it had before; null when it cannot be known. */
  growthBytes: number | null;
  isCompleted: boolean;
}

export function judgeFlood({ logBytes, lastLogged, lastKept, growthBytes, isCompleted }: Flooded): Count[] {
  const toMb = (bytes: number): number => Math.ceil(bytes / MB);
  return [
    count('log', toMb(logBytes), toMb(LOG_LIMIT_BYTES), ' MB'),
    ...(growthBytes === null ? [] : [count('worker grew by', toMb(growthBytes), toMb(GROWTH_BYTES), ' MB')]),
    count('last line lost', [lastLogged, lastKept].filter((line) => !LAST_LINE.test(line)).length),
    count('not completed', isCompleted ? 0 : 1),
  ];
}

async function readLastLine(file: string): Promise<string> {
  const log = await open(file);
  try {
    const { size } = await log.stat();
    const { buffer, bytesRead } = await log.read(Buffer.alloc(1000), 0, 1000, Math.max(0, size - 1000));
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').at(-1) ?? '';
  } finally {
    await log.close();
  }
}
