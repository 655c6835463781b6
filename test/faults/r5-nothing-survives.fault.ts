/**
 * R5: nothing of an agent survives its task, however the task ends.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished, test } from 'vitest';
import { detectTier } from '../../src/agents/tier.ts';
import { cancelRun } from '../../src/control/cancel-run.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomId } from '../../src/runtime/random.ts';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import type { WorkerProcess } from '../support/worker-process.ts';
import { createLabOn, type Lab } from './lab.ts';
import { findSurvivors } from './oracle.ts';
import { type FaultRedis, startFaultRedis } from './redis.ts';
import { openVerdict } from './verdict.ts';

const TREE = fileURLToPath(new URL('./tree.sh', import.meta.url));
const REPEATS = 5;
const LOCK_MS = 3000;
const PATIENCE_MS = 2000;

interface Way {
  name: string;
  /** How the agent itself ends. */
  orders: 'succeed' | 'fail' | 'wait';
  timeout?: string;
  /** What ends it from outside. */
  end?(lab: Lab, run: string, worker: WorkerProcess): Promise<unknown>;
  /** After the end of the task, or the moment in which the worker was struck. */
  patienceMs: number;
}

const WAYS: Way[] = [
  { name: 'success', orders: 'succeed', patienceMs: PATIENCE_MS },
  { name: 'failure', orders: 'fail', patienceMs: PATIENCE_MS },
  {
    name: 'cancel',
    orders: 'wait',
    end: (lab, run) => cancelRun(lab.app.store, systemClock, run, 10_000),
    patienceMs: PATIENCE_MS,
  },
  { name: 'timeout', orders: 'wait', timeout: '3s', patienceMs: PATIENCE_MS },
  {
    name: 'worker killed',
    orders: 'wait',
    end: async (_lab, _run, worker) => worker.child.kill('SIGKILL'),
    patienceMs: LOCK_MS + 1000,
  },
  {
    name: 'worker stopped',
    orders: 'wait',
    end: async (_lab, _run, worker) => worker.child.kill('SIGSTOP'),
    patienceMs: LOCK_MS + 1000,
  },
];

test('R5', async (context) => {
  const verdict = openVerdict('R5', context);
  const redis = await startFaultRedis();
  const { tier } = await detectTier();
  const tiers = tier === 'A' ? (['A', 'B'] as const) : (['B'] as const);
  const tried = await Promise.all(tiers.map((name) => tryTier(redis, name)));
  for (const { name, ways } of tried) {
    const escaped = ways.flatMap(({ left }) => left.filter(isEmptied));
    const others = ways.flatMap(({ left }) => left.filter((pid) => !isEmptied(pid)));
    verdict.count(`survivors in tier ${name}`, name === 'A' ? escaped.length + others.length : others.length, 0);
    if (name === 'B') {
      const missed = ways.reduce((sum, way) => sum + Math.max(0, way.isReported ? way.left.length - way.told : 0), 0);
      verdict.count('emptied daemons not reported', missed, 0);
      verdict.fact(`${escaped.length} daemons with emptied environment outlived tier B, as it says`);
    }
    for (const { way, left, said } of ways)
      if (left.length > 0) verdict.log(`${name}, ${way}: ${left.length} left; ${said}`);
    verdict.count('trees not tried', WAYS.length * REPEATS - ways.reduce((sum, { trees }) => sum + trees, 0), 0);
  }
  verdict.fact(`${WAYS.length} ways × ${REPEATS} trees of 6: ${WAYS.map(({ name }) => name).join(', ')}`);
  verdict.conclude();
});

interface Tried {
  way: string;
  trees: number;
  /** Living processes, when nobody had a right to live any more. */
  left: number[];
  /** Attempts whose leftovers a person was told of. */
  told: number;
  /** Whether somebody was there to tell: a worker that is dead tells nothing. */
  isReported: boolean;
  said: string;
}

async function tryTier(redis: FaultRedis, name: 'A' | 'B'): Promise<{ name: string; ways: Tried[] }> {
  const ways: Tried[] = [];
  for (const way of WAYS) {
    const isolation = name === 'A' ? 'namespace' : 'none';
    const lab = await createLabOn(redis, { lockMs: LOCK_MS, config: { isolation } });
    const { markers, said } = await tryWay(lab, way);
    const left = markers.flatMap((marker) => findSurvivors(`86400.${marker}`));
    const told = (await lab.events()).filter(
      (event) => event.type === 'task-warning' && event.message?.includes('may be left over') === true,
    );
    const isReported = !way.name.startsWith('worker');
    ways.push({ way: way.name, trees: markers.length, left, told: told.length, isReported, said });
  }
  return { name, ways };
}

/** Nothing but its own name is left to know it by. */
function isEmptied(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8') === '';
  } catch {
    // It ended meanwhile.
    return true;
  }
}

async function tryWay(lab: Lab, way: Way): Promise<{ markers: string[]; said: string }> {
  const base = createMarker();
  const markers = Array.from({ length: REPEATS }, (_, at) => `${base}${at}`);
  onTestFinished(() => {
    for (const pid of markers.flatMap((marker) => findSurvivors(`86400.${marker}`))) process.kill(pid, 'SIGKILL');
  });
  const list = lab.path(`grown-${randomId(4)}`);
  const tasks = Object.fromEntries(
    markers.map((marker) => [
      `tree${marker}`,
      {
        agent: 'command',
        run: ['/bin/sh', TREE, marker, way.orders, list],
        retries: 0,
        ...(way.timeout === undefined ? {} : { timeout: way.timeout }),
      },
    ]),
  );
  const { runId } = await lab.app.submit(testPlan({ tasks }));
  const worker = await lab.startWorker();
  const grown = async (): Promise<number> => (await readFile(list, 'utf8').catch(() => '')).split('\n').length - 1;
  await waitUntil('all trees have grown', async () => (await grown()) === REPEATS, 30_000);
  await way.end?.(lab, runId, worker);
  if (!way.name.startsWith('worker')) await lab.app.atRest(runId, 30_000);
  await sleep(way.patienceMs);
  return { markers, said: worker.stderr() };
}

/** Digits that no other tree has. */
function createMarker(): string {
  return String(process.hrtime.bigint() % 10n ** 12n);
}
