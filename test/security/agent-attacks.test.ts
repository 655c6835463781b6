/**
 * What an agent can do to the worker that performs it. Reaching the worker's process is prevented where agents live in a
 * namespace of their own; its environment is kept from them everywhere.
 */
import { readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTestApp, statesOf, testPlan } from '../support/app.ts';
import { availableNamespaces } from '../support/isolations.ts';
import { isAlive } from '../support/processes.ts';
import { startWorkerProcess, writeConfig } from '../support/worker-process.ts';

/** Without a namespace these commands would hit real processes of this machine: they look first where they are. */
const ATTACK = `
  here=$(readlink /proc/self/ns/pid)
  [ -n "$here" ] && [ "$here" != "$OUTSIDE" ] || exit 9
  for signal in KILL STOP TERM HUP; do
    kill -s $signal "$WORKER" 2>/dev/null && echo "reached by $signal" >> "$PLANQ_OUTPUT_DIR/reached"
    kill -s $signal -- "-$WORKER" 2>/dev/null && echo "group reached by $signal" >> "$PLANQ_OUTPUT_DIR/reached"
  done
  ls /proc | grep -c '^[0-9]' > "$PLANQ_OUTPUT_DIR/processes"
  cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' > "$PLANQ_OUTPUT_DIR/environments"
`;

const SECRET = 'canary-secret-7351';

const namespaces = await availableNamespaces();
// Where this machine has none there is nothing to try.
if (namespaces.length > 0)
  describe('an agent in a namespace', () => {
    it('cannot signal its worker, nor see it or its environment', async () => {
      const app = await createTestApp();
      await writeConfig(app, { isolation: 'namespace', times: { drain: '200ms', grace: '300ms' } });
      const worker = await startWorkerProcess(app, { MY_TOKEN: SECRET, PLANQ_TOKEN: SECRET });
      const env = { WORKER: String(worker.pid), OUTSIDE: readlinkSync('/proc/self/ns/pid') };
      const tasks = { attack: { run: ATTACK, env, retries: 0 }, after: { run: 'true', needs: 'attack' } };
      const { runId } = await app.submit(testPlan({ tasks }));
      expect(statesOf(await app.atRest(runId))).toEqual({ attack: 'completed', after: 'completed' });
      expect(isAlive(worker.pid)).toBe(true);
      const output = (name: string) => app.file(`workspace/outputs/attack/${name}`);
      await expect(output('reached')).rejects.toThrow('ENOENT');
      expect(Number(await output('processes'))).toBeLessThan(10);
      const environments = await output('environments');
      expect(environments).toContain('PLANQ_TASK_ID=attack');
      expect(environments).not.toContain(SECRET);
      expect(environments).not.toContain('REDIS_URL');
      worker.child.kill('SIGTERM');
      expect(await worker.exited).toBe(0);
    });
  });

describe('an agent', () => {
  it('has nothing of the worker in its environment but what is allowed', async () => {
    const app = await createTestApp();
    await writeConfig(app, { passEnv: ['*'], isolation: 'none', times: { drain: '200ms' } });
    const worker = await startWorkerProcess(app, { PLANQ_TOKEN: SECRET, NAMED: 'n' });
    const { runId } = await app.submit(testPlan({ tasks: { a: { run: 'env -0 > "$PLANQ_OUTPUT_DIR/env"' } } }));
    expect(statesOf(await app.atRest(runId))).toEqual({ a: 'completed' });
    const names = (await app.file('workspace/outputs/a/env'))
      .split('\0')
      .map((line) => line.split('=')[0]!)
      .filter((name) => /^(PLANQ_|REDIS)/.test(name));
    // Everything of the worker is let through here, and still nothing of ours.
    expect(names.sort()).toEqual([
      'PLANQ_ATTEMPT',
      'PLANQ_ATTEMPT_TOKEN',
      'PLANQ_HANDOFF',
      'PLANQ_OUTPUT',
      'PLANQ_OUTPUT_DIR',
      'PLANQ_PROMPT',
      'PLANQ_RUN_ID',
      'PLANQ_TASK_ID',
      'PLANQ_WORKER',
      'PLANQ_WORKER_PID',
      'PLANQ_WORKER_PLACE',
      'PLANQ_WORKER_START',
      'PLANQ_WORKSPACE',
    ]);
    worker.child.kill('SIGTERM');
    await worker.exited;
  });
});
