import { type ChildProcess, spawn } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';
import { killLeftovers } from '../../src/agents/leftovers.ts';
import { startTimeOf } from '../../src/agents/proc.ts';
import { stopTree } from '../../src/agents/stop.ts';
import { markOfThisProcess, thisPlace, toWorkerWords, type WorkerMark } from '../../src/agents/worker-mark.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomId } from '../../src/runtime/random.ts';
import { aliveOf, processesOf, waitUntil } from '../support/processes.ts';

/** Of this test alone: a worker that starts beside it would find the same leftovers, and kill and tell them first. */
const PLACE = `${thisPlace()}/${randomId(8)}`;
const DEAF = 'trap "" TERM HUP INT; while :; do sleep 1; done';

/** A process that stands for a worker, with its mark. */
function startWorker(): { child: ChildProcess; mark: WorkerMark } {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const id = `worker-${randomId(8)}`;
  return { child, mark: { id, pid: child.pid!, startTime: startTimeOf(child.pid!)!, place: PLACE } };
}

/** An agent with two children in other sessions, one of which has emptied its environment. */
async function startAgent(mark: WorkerMark): Promise<{ token: string; pids: number[] }> {
  const token = randomId(24);
  const script = `setsid sh -c '${DEAF}' & setsid env -i sh -c '${DEAF}' & ${DEAF}`;
  const env = { PATH: process.env.PATH, PLANQ_ATTEMPT_TOKEN: token, ...toWorkerWords(mark) };
  const { pid = 0 } = spawn('/bin/sh', ['-c', script], { detached: true, stdio: 'ignore', env });
  const startTime = startTimeOf(pid)!;
  onTestFinished(async () => void (await stopTree({ pid, startTime, token, graceMs: 0 }, systemClock)));
  await waitUntil('the children', () => processesOf(token).length >= 2);
  return { token, pids: processesOf(token) };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
}

it('what a dead worker left running is killed, and told', async () => {
  const { child, mark } = startWorker();
  const [first, second] = [await startAgent(mark), await startAgent(mark)];
  await kill(child);
  const told = (await killLeftovers(systemClock, PLACE)).filter(({ worker }) => worker === mark.id);
  expect(told).toHaveLength(2);
  for (const { pids } of [first, second]) {
    expect(aliveOf(pids)).toEqual([]);
    const one = told.find(({ found }) => found.includes(pids[0]!));
    expect(one).toMatchObject({ found: expect.arrayContaining(pids), survivors: [] });
    // Found by descent, for it carries no mark.
    expect(aliveOf(one!.found)).toEqual([]);
    expect(one!.found.length).toBeGreaterThan(2);
  }
});

it('agents of workers that live, of other places and of nobody are left alone', async () => {
  const { child, mark } = startWorker();
  const elsewhere = { ...mark, id: 'elsewhere', place: 'other-host/pid:[1]' };
  const strange = { ...mark, id: 'strange', startTime: '' };
  const own = { ...markOfThisProcess('own'), place: PLACE };
  const spared = [await startAgent(own), await startAgent(elsewhere), await startAgent(strange)];
  const living = await startAgent(startWorker().mark);
  await kill(child);
  const told = await killLeftovers(systemClock, PLACE);
  expect(told.map(({ worker }) => worker)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(own|elsewhere|strange)$/)]),
  );
  for (const { pids } of [...spared, living]) expect(aliveOf(pids)).toEqual(pids);
});

it('a later process with the number of the worker is not the worker', async () => {
  const { mark } = startWorker();
  const { pids } = await startAgent({ ...mark, id: 'earlier', startTime: String(Number(mark.startTime) - 1) });
  expect(await killLeftovers(systemClock, PLACE)).toContainEqual(
    expect.objectContaining({ worker: 'earlier', survivors: [] }),
  );
  expect(aliveOf(pids)).toEqual([]);
});
