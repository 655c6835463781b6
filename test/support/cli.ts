/**
 * The real command line in processes of its own, in a fresh project folder on the test run's Redis or on the project's own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { inject, onTestFinished } from 'vitest';
import { randomId } from '../../src/runtime/random.ts';
import { waitUntil } from './processes.ts';
import { ROOT } from './repository.ts';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const MAIN = path.join(ROOT, 'src', 'cli', 'main.ts');

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** What it has said on stdout so far. */
  stdout(): string;
  stderr(): string;
  /** Waits until stdout holds the text. */
  says(text: string): Promise<void>;
  ended: Promise<Ended>;
}

export interface TestProject {
  dir: string;
  env: Record<string, string>;
  /** Writes a file of the project; gives its name. */
  write(name: string, text: string): string;
  read(name: string): string;
  start(...argv: string[]): Running;
  planq(...argv: string[]): Promise<Ended>;
  /** Performs it with `--json` and reads the last line. @throws when it is no JSON */
  json<T>(...argv: string[]): Promise<T>;
}

/** A loaded machine takes long to start a process; whoever asks for it has a limit of its own. */
const SAYS_WITHIN_MS = 60_000;

/** Short times, so that no test waits for a drain or a backoff. */
const CONFIG = { times: { drain: '100ms', grace: '500ms', backoff: '20ms' } };

/** A project that is removed, with every process started in it, when the test ends. @param redis `private` = its own server */
export function createProject(redis: 'shared' | 'private' = 'shared'): TestProject {
  const dir = mkdtempSync(path.join(tmpdir(), 'planq-cli-'));
  const children = new Set<ChildProcess>();
  onTestFinished(async () => {
    for (const child of children) await end(child);
    rmSync(dir, { recursive: true, force: true });
  });
  const { PATH = '', HOME = '' } = process.env;
  const env: Record<string, string> = { PATH, HOME, LANG: 'C.UTF-8', PLANQ_LOCK_MS: '3000' };
  if (redis === 'shared') Object.assign(env, { REDIS_URL: inject('redisUrl'), PLANQ_PREFIX: `cli-${randomId(8)}` });
  const project: TestProject = {
    dir,
    env,
    write: (name, text) => {
      writeFileSync(path.join(dir, name), text);
      return name;
    },
    read: (name) => readFileSync(path.join(dir, name), 'utf8'),
    start: (...argv) => {
      const running = run(dir, env, argv);
      children.add(running.child);
      void running.ended.then(() => children.delete(running.child));
      return running;
    },
    planq: (...argv) => project.start(...argv).ended,
    json: async (...argv) => JSON.parse((await project.planq(...argv, '--json')).stdout.trim().split('\n').at(-1)!),
  };
  project.write('planq.config.json', JSON.stringify(CONFIG));
  return project;
}

function run(cwd: string, env: Record<string, string>, argv: readonly string[]): Running {
  const child = spawn(process.execPath, ['--import', TSX, MAIN, ...argv], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...texts }));
  const says = async (text: string): Promise<void> => {
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await waitUntil(`planq says "${text}"`, () => texts.stdout.includes(text) || isOver(), SAYS_WITHIN_MS);
    if (!texts.stdout.includes(text)) throw new Error(`planq ended without "${text}": ${texts.stdout}${texts.stderr}`);
  };
  return { child, stdout: () => texts.stdout, stderr: () => texts.stderr, says, ended };
}

/** In order, so that its agents and its Redis end too; by force when it does not. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 5000);
  await closed;
  clearTimeout(force);
}
