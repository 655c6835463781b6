/**
 * R12: size does not matter: ten thousand tasks, a gigabyte of output, results above the limit.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'vitest';
import { testPlan } from '../../support/app.ts';
import { ROOT } from '../../support/repository.ts';
import { createLab, type Lab } from '../lab.ts';
import { openVerdict } from '../verdict.ts';

const TASKS = 10_000;
const LOG_LIMIT_BYTES = 100 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

/** Another client, in a process of its own so that nobody's work delays it: tells the longest answer when it is ended. */
const PROBE = `
  import net from 'node:net';
  const socket = net.connect(process.argv[1]);
  let longest = 0, sentAt = 0;
  const ask = () => { sentAt = performance.now(); socket.write('PING\\r\\n'); };
  socket.on('connect', ask);
  socket.on('data', () => { longest = Math.max(longest, performance.now() - sentAt); setTimeout(ask, 2); });
  process.on('SIGTERM', () => { process.stdout.write(String(longest)); process.exit(0); });
`;

test('R12', async (context) => {
  const verdict = openVerdict('R12', context);
  const lab = await createLab({ lockMs: 10_000, config: { concurrency: 20 } });
  const probe = spawn(process.execPath, ['--input-type=module', '-e', PROBE, lab.redis.socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.onTestFinished(() => void probe.kill('SIGKILL'));
  const before = await usedMemory(lab);
  const tasks = Object.fromEntries(
    Array.from({ length: TASKS }, (_, at) => [`t${at}`, { agent: 'noop', needs: at < 100 ? [] : [`t${at - 100}`] }]),
  );
  const { runId } = await lab.app.submit(testPlan({ barrier: 'none', tasks }));
  const bytesPerTask = ((await usedMemory(lab)) - before) / TASKS;
  const worker = startBuiltWorker(lab, context);
  const [view] = await lab.settled([runId], 10 * 60_000);
  const told = once(probe.stdout, 'data');
  probe.kill('SIGTERM');
  const pauseMs = Number(String((await told)[0]));
  const large = await performLarge(lab);
  verdict.count('longest pause of Redis', Math.round(pauseMs), 50, ' ms');
  verdict.count('memory of the worker', Math.round(peakBytes(worker.pid) / MEGABYTE), 150, ' MB');
  verdict.count('Redis bytes per task', Math.round(bytesPerTask), 4096);
  verdict.count('not completed', TASKS - (view?.run.counts.completed ?? 0), 0);
  verdict.count('log of 1 GB of output', Math.round(large.logBytes / MEGABYTE), LOG_LIMIT_BYTES / MEGABYTE + 1, ' MB');
  verdict.count('results above the limit accepted', large.accepted, 0);
  verdict.fact(`${TASKS} tasks, 1 GB of output, results of 5 MB and of 64 KB and a byte`);
  for (const reason of large.reasons) verdict.log(reason);
  verdict.conclude();
});

/** As people run it: the loader that the tests' workers need has a memory of its own. */
function startBuiltWorker(lab: Lab, { onTestFinished }: TestContext): { pid: number } {
  const child = spawn(process.execPath, [path.join(ROOT, 'dist', 'cli', 'main.js'), 'worker'], {
    cwd: lab.app.projectDir,
    env: { PATH: process.env.PATH, ...lab.app.env },
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { pid: child.pid! };
}

/** Three tasks that give too much, of output or of results. */
async function performLarge(lab: Lab): Promise<{ logBytes: number; accepted: number; reasons: string[] }> {
  const give = (bytes: number) => ({
    agent: 'command',
    retries: 0,
    run: `printf 'big=' >>"$PLANQ_OUTPUT"; head -c ${bytes} /dev/zero | tr '\\0' x >>"$PLANQ_OUTPUT"`,
  });
  const tasks = {
    flood: { agent: 'fake', with: { flood: '1GB' } },
    huge: give(5 * MEGABYTE),
    above: give(64 * 1024 + 1),
  };
  const { runId, workspace } = await lab.app.submit(testPlan({ barrier: 'none', tasks }));
  const [view] = await lab.settled([runId], 5 * 60_000);
  const [, huge, above] = view?.tasks ?? [];
  return {
    logBytes: statSync(lab.path(`${workspace}/logs/flood.log`)).size,
    accepted: [huge, above].filter((task) => task?.state !== 'failed').length,
    reasons: (view?.tasks ?? []).map((task) => `${task.id}: ${task.state} ${task.reason ?? ''}`),
  };
}

async function usedMemory(lab: Lab): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await lab.app.store.redis.info('memory'))?.[1]);
}

function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
