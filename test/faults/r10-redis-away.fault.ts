/**
 * R10: Redis may be away for a minute, refuse to write, or fall silent: nothing is lost, work goes on soon after, and the
 * log stays quiet.
 */
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { createConnection } from '../../src/redis/connection.ts';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import type { WorkerProcess } from '../support/worker-process.ts';
import { monotonicMs } from './journal.ts';
import { createLab, type Lab } from './lab.ts';
import { findLost, findStuck, findTwice } from './oracle.ts';
import { type RedisProxy, startProxy } from './proxy.ts';
import { openVerdict } from './verdict.ts';

/** Enough that some are left to begin when a trouble ends: tasks that a refusal cut off only come back when their lock ends. */
const TASKS = 60;
const RUNNING = 10;
const RECOVERY_MS = 5000;
/** After so long without a word a connection is made anew (`socketTimeout`). */
const SILENCE_MS = 20_000;

interface Trouble {
  name: string;
  forMs: number;
  recoveryMs: number;
  begin(lab: Lab, proxy: RedisProxy): Promise<unknown>;
  end(lab: Lab): Promise<unknown>;
}

/** Where Redis wants to write its snapshot lies a folder: as a full disk, it cannot be written, and Redis refuses writes. */
const snapshotOf = (lab: Lab): string => path.join(lab.redis.folder, 'dump.rdb');

const TROUBLES: Trouble[] = [
  {
    name: 'away',
    forMs: 60_000,
    recoveryMs: RECOVERY_MS,
    begin: (lab) => lab.redis.kill(),
    end: (lab) => lab.redis.start(),
  },
  {
    name: 'out of memory',
    forMs: 20_000,
    recoveryMs: RECOVERY_MS,
    begin: (lab) => order(lab, 'CONFIG', 'SET', 'maxmemory', '1'),
    end: (lab) => order(lab, 'CONFIG', 'SET', 'maxmemory', '0'),
  },
  {
    name: 'disk full',
    forMs: 20_000,
    recoveryMs: RECOVERY_MS,
    begin: async (lab) => {
      await mkdir(snapshotOf(lab));
      await order(lab, 'CONFIG', 'SET', 'save', '3600 1000000');
      await snapshot(lab, 'err');
    },
    end: async (lab) => {
      await rmdir(snapshotOf(lab));
      await snapshot(lab, 'ok');
    },
  },
  {
    name: 'silent',
    forMs: 0,
    recoveryMs: SILENCE_MS + RECOVERY_MS,
    begin: async (_lab, proxy) => proxy.drop(),
    end: async () => undefined,
  },
];

test('R10', async (context) => {
  const verdict = openVerdict('R10', context);
  const lab = await createLab({ lockMs: 4000, config: { concurrency: RUNNING } });
  const proxy = await startProxy(lab.redis.port);
  const worker = await lab.startWorker({ REDIS_URL: proxy.url });
  const runs: string[] = [];
  for (const trouble of TROUBLES) {
    const { run, recoveryMs, linesAMinute } = await endure(lab, worker, proxy, trouble);
    runs.push(run);
    verdict.count(`${trouble.name}: work after`, Math.round(recoveryMs), trouble.recoveryMs, ' ms');
    verdict.count('log', linesAMinute, 10, ' lines/min');
    verdict.log(`${trouble.name}: ${worker.stderr().length} characters of log`);
  }
  const views = await lab.settled(runs, 60_000);
  const [entries, events] = [await lab.journal(), await lab.events()];
  for (const text of findTwice(views, entries, events)) verdict.log(`twice: ${text}`);
  for (const view of views.filter((view) => findStuck([view]).length > 0)) verdict.log(JSON.stringify(view));
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.count('twice', findTwice(views, entries, events).length, 0);
  verdict.count(
    'not completed',
    views.reduce((sum, { run }) => sum + run.counts.total - run.counts.completed, 0),
    0,
  );
  verdict.fact(`${TROUBLES.length} × ${TASKS} tasks, ${RUNNING} running`);
  verdict.fact(TROUBLES.map(({ name, forMs }) => `${name} ${forMs / 1000} s`).join(', '));
  verdict.log(worker.stderr());
  verdict.conclude();
});

interface Endured {
  run: string;
  /** From the end of the trouble to the first agent after it. */
  recoveryMs: number;
  linesAMinute: number;
}

async function endure(lab: Lab, worker: WorkerProcess, proxy: RedisProxy, trouble: Trouble): Promise<Endured> {
  const gate = lab.path(`open-${trouble.forMs}-${trouble.recoveryMs}-${trouble.name}`);
  // The first ten end in the middle of the trouble, when nobody can be told.
  const tasks = Object.fromEntries(Array.from({ length: TASKS }, (_, at) => [`t${at}`, lab.task({ gate, work: 200 })]));
  const { runId } = await lab.app.submit(testPlan({ tasks }));
  const startsSince = async (since: number): Promise<number[]> =>
    (await lab.journal())
      .filter(({ run, event, at }) => run === runId && event === 'start' && at > since)
      .map(({ at }) => at);
  await waitUntil('ten tasks run', async () => (await startsSince(0)).length === RUNNING, 20_000);
  const linesBefore = countLines(worker);
  const beganAt = monotonicMs();
  await trouble.begin(lab, proxy);
  await sleep(trouble.forMs / 2);
  await writeFile(gate, '');
  await sleep(trouble.forMs / 2);
  await trouble.end(lab);
  const endedAt = monotonicMs();
  const [first = endedAt] = await waitUntil(
    'work goes on',
    async () => {
      const starts = await startsSince(endedAt);
      return starts.length > 0 ? starts : undefined;
    },
    120_000,
  );
  await lab.settled([runId], 60_000);
  const minutes = Math.max(1, (monotonicMs() - beganAt) / 60_000);
  return {
    run: runId,
    recoveryMs: first - endedAt,
    linesAMinute: Math.round((countLines(worker) - linesBefore) / minutes),
  };
}

function countLines(worker: WorkerProcess): number {
  return worker.stderr().split('\n').length;
}

/** By a connection of its own: a server that refuses writes refuses the question whether it is there as well. */
async function order(lab: Lab, ...words: [string, ...string[]]): Promise<unknown> {
  const redis = createConnection({ url: lab.redis.socket });
  try {
    return await redis.call(...words);
  } finally {
    redis.disconnect();
  }
}

async function snapshot(lab: Lab, wanted: 'ok' | 'err'): Promise<void> {
  await order(lab, 'BGSAVE');
  await waitUntil(
    `the snapshot is ${wanted}`,
    async () => String(await order(lab, 'INFO', 'persistence')).includes(`rdb_last_bgsave_status:${wanted}`),
    10_000,
  );
}
