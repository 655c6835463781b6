/** A worker process under measurement: plain Node on the built code, steered over its IPC channel. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { cpuMs, memoryOf } from './proc.ts';

export type Program = 'planq-worker' | 'raw-worker';

export interface Place {
  socket: string;
  prefix: string;
  projectDir: string;
  concurrency: number;
}

export interface MeasuredProcess {
  pid: number;
  /** Resolves when the worker has started; it may be at work already. */
  start(place: Place): Promise<void>;
  stop(): Promise<void>;
  /** Collects garbage. */
  collect(): Promise<void>;
  cpuMs(): number;
  memory(): { now: number; peak: number };
  /** Ends the process; kills it when it does not answer. Safe to call twice. */
  end(): Promise<void>;
}

const END_MS = 20_000;

export async function startProcess(program: Program, nodeOptions: readonly string[] = []): Promise<MeasuredProcess> {
  const file = path.join(import.meta.dirname, 'programs', `${program}.mjs`);
  const child = fork(file, [], {
    // Without what the driver itself was started with: no loader, no inspector.
    execArgv: ['--expose-gc', ...nodeOptions],
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  child.on('message', (message: { id: number }) => {
    waiting.get(message.id)?.resolve();
    waiting.delete(message.id);
  });
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${program} ended with ${signal ?? code}`));
  });
  const answer = (id: number): Promise<void> => new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  let lastId = 0;
  const tell = (verb: string, place?: Place): Promise<void> => {
    const id = ++lastId;
    child.send({ id, verb, place });
    return answer(id);
  };
  const killWithUs = (): unknown => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  await answer(0);
  return {
    pid: child.pid!,
    start: (place) => tell('start', place),
    stop: () => tell('stop'),
    collect: () => tell('collect'),
    cpuMs: () => cpuMs(child.pid!),
    memory: () => memoryOf(child.pid!),
    end: async () => {
      process.off('exit', killWithUs);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
      if (child.connected) child.disconnect();
      await gone;
      clearTimeout(timer);
    },
  };
}
