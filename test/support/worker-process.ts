/**
 * Worker processes that a test can kill.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { TestApp } from './app.ts';

export interface WorkerProcess {
  child: ChildProcess;
  pid: number;
  /** As it names itself in the record. */
  id: string;
  stderr(): string;
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>;
}

const MAIN = fileURLToPath(new URL('./worker-main.ts', import.meta.url));

/** Starts a worker on an app's Redis and project, and waits until it serves. It is killed when the test has ended. */
export async function startWorkerProcess(
  app: TestApp,
  env: Record<string, string> = {},
  main = MAIN,
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main], {
    cwd: app.projectDir,
    env: { PATH: process.env.PATH, ...app.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exited = once(child, 'exit').then(
    ([code, signal]): number | string => (code as number | null) ?? (signal as string),
  );
  const first = await Promise.race([
    once(child.stdout, 'data').then(([chunk]) => String(chunk)),
    exited.then((code) => Promise.reject(new Error(`the worker ended with ${code}: ${stderr}`))),
  ]);
  return { child, pid: child.pid!, id: first.trim().split(' ')[1]!, stderr: () => stderr, exited };
}

/** Writes the project's configuration; for the processes that start after. */
export async function writeConfig(app: TestApp, config: Record<string, unknown>): Promise<void> {
  await writeFile(path.join(app.projectDir, 'planq.config.json'), JSON.stringify(config));
}
