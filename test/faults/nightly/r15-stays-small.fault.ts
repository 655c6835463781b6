/**
 * R15: it stays small over time. PLANQ_SOAK_MINUTES makes it shorter than the half hour that it takes by itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished, test } from 'vitest';
import { listProcesses } from '../../../src/agents/proc.ts';
import { pruneRuns } from '../../../src/control/prune-runs.ts';
import { testPlan } from '../../support/app.ts';
import { waitUntil } from '../../support/processes.ts';
import { createChance } from '../chance.ts';
import { createLab, type Lab } from '../lab.ts';
import { createStages } from '../load.ts';
import { findLost, findStuck, findTwice } from '../oracle.ts';
import { openVerdict } from '../verdict.ts';

const MINUTES = Number(process.env.PLANQ_SOAK_MINUTES ?? 30);
const SAMPLE_MS = 5000;
/** The command as it is installed, with the heap that it asks V8 for. */
const COMMAND = fileURLToPath(new URL('../../../dist/bin/planq.cjs', import.meta.url));
const MEGABYTE = 1024 * 1024;

interface Sample {
  minute: number;
  rssBytes: number;
  files: number;
}

test('R15', async (context) => {
  const verdict = openVerdict('R15', context);
  const chance = createChance('R15');
  const lab = await createLab({ lockMs: 3000, config: { concurrency: 4 } });
  const watched = await startCommand(lab);
  let restarted = await lab.startWorker();
  const samples: Sample[] = [];
  const runs: string[] = [];
  const startedAt = performance.now();
  const minuteNow = (): number => (performance.now() - startedAt) / 60_000;
  let restarts = 0;
  while (minuteNow() < MINUTES) {
    const { runId } = await lab.app.submit(testPlan(createStages(lab, chance)));
    runs.push(runId);
    // Looked at when it is at rest: the pipes of agents that run are not what stays.
    await Promise.all([sleep(SAMPLE_MS), lab.settled([runId], 60_000)]);
    samples.push({
      minute: minuteNow(),
      rssBytes: rssOf(watched.pid),
      files: readdirSync(`/proc/${watched.pid}/fd`).length,
    });
    if (minuteNow() < restarts + 1) continue;
    restarts++;
    restarted.child.kill('SIGTERM');
    await restarted.exited;
    restarted = await lab.startWorker();
  }
  const views = await lab.settled(runs, 120_000);
  const zombies = listProcesses().filter((info) => info.ppid === watched.pid && info.state === 'Z').length;
  const [entries, events] = [await lab.journal(), await lab.events()];
  // The first third is warming up: code that is compiled, caches that fill.
  const settled = samples.filter(({ minute }) => minute > MINUTES / 3);
  const growth = 10 * slope(settled.map(({ minute, rssBytes }) => [minute, rssBytes / MEGABYTE]));
  verdict.count('memory growth', Number(growth.toFixed(2)), 1, ' MB/10 min');
  verdict.count(
    'open files growth',
    Number((10 * slope(settled.map(({ minute, files }) => [minute, files]))).toFixed(2)),
    1,
    '/10 min',
  );
  verdict.count('zombies', zombies, 0);
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('twice', findTwice(views, entries, events).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.count('keys of pruned runs', (await keysAfterPrune(lab, runs)).length, 0);
  verdict.fact(`${MINUTES} min, ${runs.length} runs, ${restarts} worker restarts`);
  verdict.log(samples.map(({ rssBytes, files }) => `${(rssBytes / MEGABYTE).toFixed(0)} MB ${files}`).join(', '));
  verdict.conclude();
});

/** `planq worker`, once it has written its first line. */
async function startCommand({ app }: Lab): Promise<{ pid: number }> {
  const child: ChildProcess = spawn(process.execPath, [COMMAND, 'worker'], {
    cwd: app.projectDir,
    env: { PATH: process.env.PATH, ...app.env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  child.stdout!.resume();
  return { pid: child.pid! };
}

/** Whatever in Redis still names a run when all have been pruned. */
async function keysAfterPrune({ app }: Lab, runs: readonly string[]): Promise<string[]> {
  const isPruned = async (): Promise<boolean> => {
    await pruneRuns(app.store, Date.now() + 60_000, false);
    return (await Promise.all(runs.map((run) => app.store.record.readMeta(run)))).every((meta) => meta === null);
  };
  await waitUntil('all runs are pruned', isPruned, 60_000);
  const keys = await app.store.redis.keys('*');
  return keys.filter((key) => runs.some((run) => key.includes(run)));
}

function rssOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Least squares, in units of y per unit of x. */
function slope(points: readonly (readonly [number, number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return above / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
