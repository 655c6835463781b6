/**
 * The drill's own worker processes: the same command as a user's, on the drill's prefix and folder. Only they are ever sent a
 * signal, through the handle of their own process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock } from '../runtime/clock.ts';

/** How planq itself was started, so that its workers are too. */
export interface WorkerCommand {
  file: string;
  /** Up to and with the script. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
}

export interface DrillWorker {
  /** As it names itself in the record. */
  id: string;
  pid: number;
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the signal's name. */
  exited: Promise<number | string>;
}

export interface Fleet {
  /** Starts workers until two are up, and gives them. @throws when one ends before it serves */
  fill(): Promise<DrillWorker[]>;
  find(id: string | undefined): DrillWorker | undefined;
  /** Ends all of them in order, by force where that takes too long. */
  stop(): Promise<void>;
}

const SIZE = 2;
const START_MS = 30_000;
const STOP_MS = 5000;
const LEASH = new URL('./programs/leash.mjs', import.meta.url).href;

/** @param folder the drill's project; what the workers say goes to `workers/` in it, which must be there */
export function createFleet(command: WorkerCommand, folder: string, clock: Clock): Fleet {
  const up = new Map<ChildProcess, DrillWorker | undefined>();
  let started = 0;
  const start = async (): Promise<void> => {
    const name = path.join(folder, 'workers', String(++started));
    // A group of its own: Ctrl-C is for the drill, which ends its workers itself.
    const child = spawn(command.file, ['--import', LEASH, ...command.args, 'worker', '--project', folder], {
      cwd: folder,
      env: command.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    up.set(child, undefined);
    const exited = settle(child).finally(() => up.delete(child));
    const [stdout, stderr] = [child.stdout!, child.stderr!];
    stdout.pipe(createWriteStream(`${name}.log`));
    stderr.pipe(createWriteStream(`${name}.err`));
    let complaint = '';
    stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-500);
    });
    const timer = new AbortController();
    const id = await Promise.race([
      readId(child),
      exited.then((end) => Promise.reject(new Error(`a worker ended with ${end}: ${complaint.trim()}`))),
      clock.sleep(START_MS, timer.signal).then(() => Promise.reject(new Error(`no worker after ${START_MS} ms`))),
    ]).finally(() => timer.abort());
    up.set(child, { id, pid: child.pid!, signal: (signal) => void child.kill(signal), exited });
  };
  const serving = (): DrillWorker[] => [...up.values()].filter((worker) => worker !== undefined);
  return {
    fill: async () => {
      await Promise.all(Array.from({ length: Math.max(0, SIZE - up.size) }, start));
      return serving();
    },
    find: (id) => serving().find((worker) => worker.id === id),
    stop: async () => {
      await Promise.all([...up.keys()].map((child) => end(child, clock)));
    },
  };
}

async function settle(child: ChildProcess): Promise<number | string> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return code ?? signal ?? 'unknown';
  } catch (error) {
    return String(error);
  }
}

/** A worker's first line is of its start, and every line has its id. */
function readId(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const { worker, msg } = JSON.parse(line) as { worker: string; msg: string };
      if (msg === 'worker-started') resolve(worker);
    });
  });
}

async function end(child: ChildProcess, clock: Clock): Promise<void> {
  const exited = settle(child);
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  // One that was stopped hears nothing else.
  child.kill('SIGCONT');
  const timer = new AbortController();
  await Promise.race([exited, clock.sleep(STOP_MS, timer.signal)]);
  timer.abort();
  child.kill('SIGKILL');
  await exited;
}
