/**
 * R3: two agents of one task never work at once, whatever happens to the worker. The four kinds of fault go on side by
 * side, each on a project of its own.
 */
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import type { Event } from '../../src/events/event.ts';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import type { WorkerProcess } from '../support/worker-process.ts';
import { createChance } from './chance.ts';
import { type Entry, type Life, toLives } from './journal.ts';
import { createLabOn, type Lab } from './lab.ts';
import { findOverlaps } from './oracle.ts';
import { type RedisProxy, startProxy } from './proxy.ts';
import { startFaultRedis } from './redis.ts';
import { openVerdict } from './verdict.ts';

const REPEATS = 5;
const LOCK_MS = 3000;
/** Beyond the lock, so that another worker takes the task over while the first is still there. */
const AWAY_MS = 3 * LOCK_MS;

interface Victim {
  lab: Lab;
  worker: WorkerProcess;
  proxy: RedisProxy;
}

interface Fault {
  name: string;
  strike(victim: Victim): void;
  /** After another worker has the task. */
  heal(victim: Victim): void;
}

const nothing = (): void => undefined;
const FAULTS: Fault[] = [
  { name: 'kill', strike: ({ worker }) => void worker.child.kill('SIGKILL'), heal: nothing },
  {
    name: 'stop',
    strike: ({ worker }) => void worker.child.kill('SIGSTOP'),
    heal: ({ worker }) => void worker.child.kill('SIGCONT'),
  },
  { name: 'cut', strike: ({ proxy }) => proxy.hold(), heal: ({ proxy }) => proxy.release() },
  { name: 'block', strike: ({ worker }) => void worker.child.kill('SIGUSR2'), heal: nothing },
];

test('R3', async (context) => {
  const verdict = openVerdict('R3', context);
  const chance = createChance('R3');
  const redis = await startFaultRedis();
  const journals = await Promise.all(
    FAULTS.map(async (fault) => {
      const lab = await createLabOn(redis, { lockMs: LOCK_MS });
      for (let count = 0; count < REPEATS; count++) await repeat(lab, fault, chance.between(100, LOCK_MS));
      return { name: fault.name, entries: await lab.journal(), events: await lab.events() };
    }),
  );
  for (const { name, entries, events } of journals) {
    const overlaps = findOverlaps(entries);
    for (const [run, lives] of groupLives(entries))
      if (lives.length !== 2) verdict.log(`${name}: ${lives.length} agents: ${describeRun(events, lives, run)}`);
    if (overlaps.length > 0) verdict.log(`${name}: ${overlaps.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  }
  const all = journals.flatMap(({ entries }) => findOverlaps(entries));
  const gaps = journals.flatMap(({ entries }) => findGaps(entries));
  const more = journals.flatMap(({ entries }) => [...groupLives(entries).values()]).filter((lives) => lives.length > 2);
  verdict.count('overlaps', all.length, 0);
  verdict.count('longest', Math.round(Math.max(0, ...all)), 0, ' ms');
  verdict.fact(`${FAULTS.length} faults × ${REPEATS}: ${FAULTS.map(({ name }) => name).join(', ')}`);
  verdict.fact(`${gaps.length} tasks taken over, shortest gap ${Math.round(Math.min(...gaps))} ms`);
  verdict.count('taken over more than once', more.length, 0);
  verdict.conclude();
});

/** One worker has the task, the other waits for it; after `delayMs` the fault strikes. */
async function repeat(lab: Lab, fault: Fault, delayMs: number): Promise<void> {
  const gate = lab.path(`open-${(await lab.journal()).length}`);
  const { runId } = await lab.app.submit(testPlan({ tasks: { long: lab.task({ ticks: true, gate }) } }));
  const proxy = await startProxy(lab.redis.port);
  const first = await lab.startWorker({ REDIS_URL: proxy.url, PLANQ_BLOCK_MS: String(AWAY_MS) });
  const starts = async (): Promise<Entry[]> =>
    (await lab.journal()).filter(({ run, event }) => run === runId && event === 'start');
  await waitUntil('the first agent works', async () => (await starts()).length === 1, 20_000);
  const second = await lab.startWorker();
  await sleep(delayMs);
  const victim = { lab, worker: first, proxy };
  fault.strike(victim);
  await waitUntil('another agent works', async () => (await starts()).length === 2, 30_000);
  fault.heal(victim);
  await writeFile(gate, '');
  await lab.app.atRest(runId, 30_000);
  for (const worker of [first, second]) {
    worker.child.kill('SIGKILL');
    await worker.exited;
  }
}

function describeRun(events: readonly Event[], lives: readonly Life[], run: string): string {
  return [...events.filter((event) => event.run === run), ...lives].map((fact) => JSON.stringify(fact)).join('\n');
}

/** Milliseconds between the last sign of a task's one agent and the first of the next. */
function findGaps(entries: readonly Entry[]): number[] {
  return [...groupLives(entries).values()].flatMap((lives) =>
    lives.slice(1).map((life, at) => life.from - lives[at]!.to),
  );
}

function groupLives(entries: readonly Entry[]): Map<string, Life[]> {
  const groups = new Map<string, Life[]>();
  for (const life of toLives(entries)) groups.set(life.run, [...(groups.get(life.run) ?? []), life]);
  return groups;
}
