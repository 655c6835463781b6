/**
 * The project's own Redis is killed while work goes on.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { createConnection } from '../../src/redis/connection.ts';
import { createProject } from '../support/cli.ts';
import { isAlive, waitUntil } from '../support/processes.ts';

// Several processes of the command line, and the waits of connections and locks.
vi.setConfig({ testTimeout: 120_000 });

const PLAN = `name: Goes on
tasks:
  first: { run: "echo first >> ran; while ! test -e open; do sleep 0.05; done" }
  second: { needs: first, run: "echo second >> ran" }
  third: { needs: second, run: "echo third >> ran" }
`;

async function serverPid(socket: string): Promise<number> {
  const redis = createConnection({ url: socket });
  try {
    return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  } finally {
    redis.disconnect();
  }
}

test('a run goes on when its Redis is killed: it is started again, and nothing is done twice', async () => {
  const project = createProject('private');
  const running = project.start('run', project.write('plan.yaml', PLAN));
  await running.says('Launching task: first');
  const watching = project.start('watch');
  await watching.says('0 of 3 tasks completed');
  const socket = path.join(project.dir, '.planq', 'redis', 'redis.sock');
  const pid = await serverPid(socket);
  process.kill(pid, 'SIGKILL');
  await waitUntil('it is gone', () => !isAlive(pid));
  project.write('open', '');
  const { code, stdout } = await running.ended;
  expect([code, stdout]).toEqual([0, expect.stringContaining('completed: 3 of 3 tasks completed')]);
  expect((await watching.ended).stdout).toContain('completed: 3 of 3 tasks completed');
  expect(readFileSync(path.join(project.dir, 'ran'), 'utf8')).toBe('first\nsecond\nthird\n');
});
