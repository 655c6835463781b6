/**
 * Notifications from the command line: real workers, a real receiver with TLS.
 */
import { createHmac } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Finding } from '../../src/control/doctor.ts';
import type { RunExport } from '../../src/control/export-run.ts';
import type { RunView } from '../../src/flows/run-view.ts';
import type { Notification } from '../../src/notify/notification.ts';
import { createProject, type TestProject } from '../support/cli.ts';
import { CA_FILE, startHookServer } from '../support/hook-server.ts';
import { readWhole, waitUntil } from '../support/processes.ts';

vi.setConfig({ testTimeout: 120_000 });

const FAILS = `name: Fails
tasks:
  build: { run: "exit 3", retries: 0 }
  ship: { run: "true", needs: build }
`;

/** One task works until the file `open` is there, the other waits for a person. */
const ASKS = `name: Asks
barrier: none
tasks:
  work: { run: "while ! test -e open; do sleep 0.05; done" }
  ship: { run: "true", approval: true }
`;

/** A project whose configuration has these receivers. */
function projectWith(notify: unknown[], env: Record<string, string> = {}): TestProject {
  const project = createProject();
  Object.assign(project.env, env);
  project.write(
    'planq.config.json',
    JSON.stringify({ times: { drain: '100ms', grace: '500ms', backoff: '20ms' }, notify }),
  );
  project.write('plan.yaml', FAILS);
  return project;
}

const readTold = (project: TestProject): Notification[] =>
  (readWhole(path.join(project.dir, 'told')) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Notification);

describe('a run that fails', () => {
  it('is told by a worker, to a command and to a webhook that verifies who it is from', async () => {
    const server = await startHookServer();
    const project = projectWith(
      [
        { on: ['blocked'], command: 'cat >> told' },
        {
          on: ['blocked'],
          webhook: `https://localhost:${server.port}/hook`,
          secretEnv: 'HOOK_SECRET',
          allowHosts: ['localhost'],
        },
      ],
      { HOOK_SECRET: 'open sesame', NODE_EXTRA_CA_CERTS: CA_FILE },
    );
    const worker = project.start('worker');
    await worker.says('worker-started');
    const { runId } = await project.json<{ runId: string }>('submit', 'plan.yaml');
    const [hooked] = await server.bodies<Notification>(1);
    const told = await waitUntil('the command was told', () => readTold(project)[0], 20_000);
    expect(told).toEqual(hooked);
    expect(told).toMatchObject({ type: 'blocked', run: { id: runId, state: 'blocked' }, blocked: ['ship'] });
    const { headers, body } = server.hooks[0]!;
    const [, seconds, mac] = /^t=(\d+),v1=(.*)$/.exec(String(headers['planq-signature']))!;
    expect(mac).toBe(createHmac('sha256', 'open sesame').update(`${seconds}.${body}`).digest('hex'));
    expect(headers['planq-delivery']).toBe(told.id);
  });

  it('is told by a run that works itself, before it ends', async () => {
    const project = projectWith([{ on: ['blocked'], command: 'cat >> told' }]);
    expect((await project.planq('run', 'plan.yaml')).code).toBe(1);
    expect(readTold(project).map(({ type }) => type)).toEqual(['blocked']);
  });
});

describe('planq notify', () => {
  it('tells who is notified, and tries it: what came of each, and exit code 1 when one failed', async () => {
    const project = projectWith([
      { on: ['blocked', 'failed'], command: 'cat >> told' },
      { on: ['completed'], command: 'echo no such channel; exit 4' },
      { on: ['completed'], webhook: 'https://metadata.test/', allowHosts: [] },
    ]);
    const listed = await project.planq('notify');
    expect([listed.code, listed.stdout]).toEqual([
      0,
      'notify[0] (command)  blocked, failed\nnotify[1] (command)  completed\nnotify[2] (webhook metadata.test)  completed\n',
    ]);
    const tried = await project.planq('notify', '--test');
    expect(tried.code).toBe(1);
    expect(tried.stdout).toMatch(
      /^ok {4}notify\[0\] \(command\) {2}exit code 0 \(\d+ ms\)\nfail {2}notify\[1\] \(command\) {2}exit code 4: no such channel/,
    );
    expect(tried.stdout).toContain('fail  notify[2] (webhook metadata.test)  cannot find metadata.test');
    expect(readTold(project)).toMatchObject([{ type: 'test', run: null, text: 'planq: this is a test notification' }]);
    const asJson = await project.json<{ ok: boolean; receivers: unknown[] }>('notify', '--test');
    expect(asJson).toMatchObject({
      ok: false,
      receivers: [{ to: 'notify[0] (command)', ok: true }, { ok: false }, { ok: false }],
    });
  });

  it('has nothing to try where nobody is notified', async () => {
    const project = createProject();
    const listed = await project.planq('notify');
    expect([listed.code, listed.stdout, listed.stderr]).toEqual([0, '', expect.stringContaining('nobody is notified')]);
    const tried = await project.planq('notify', '--test');
    expect([tried.code, tried.stderr]).toEqual([
      1,
      expect.stringContaining('error wrong_state: cannot send a test notification'),
    ]);
  });
});

describe('a receiver that cannot be', () => {
  it('is a mistake in the configuration', async () => {
    const project = projectWith([{ on: ['complete'], webhook: 'https://169.254.169.254/latest' }]);
    const { code, stderr } = await project.planq('worker');
    expect(code).toBe(2);
    expect(stderr).toContain('"notify[0].on" has the unknown word "complete" (did you mean "completed"?)');
    expect(stderr).toContain('"notify[0].webhook" leads to the internal host "169.254.169.254"');
  });

  it('keeps a worker from starting when the secret for it is missing', async () => {
    const project = projectWith([{ on: ['failed'], webhook: 'https://example.com/', secretEnv: 'HOOK_SECRET' }]);
    const { code, stderr } = await project.planq('worker');
    expect([code, stderr]).toEqual([2, expect.stringContaining('the variable HOOK_SECRET is not set')]);
  });

  it('refuses a run that this process would work before anything is submitted, and the doctor says the same', async () => {
    const project = projectWith([{ on: ['failed'], webhook: 'https://example.com/', secretEnv: 'HOOK_SECRET' }]);
    const { code, stdout, stderr } = await project.planq('run', 'plan.yaml');
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('the variable HOOK_SECRET is not set')]);
    expect(await project.json('list')).toEqual({ runs: [] });
    const { checks } = await project.json<{ checks: Finding[] }>('doctor');
    expect(checks.find(({ name }) => name === 'notify')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining(
        'notify[0] (webhook example.com) is told of failed, but the variable HOOK_SECRET',
      ),
    });
    await project.planq('run', 'plan.yaml', '--detach');
    expect((await project.json<{ runs: unknown[] }>('list')).runs).toHaveLength(1);
  });

  it('is told of by the run that is followed and in the log, and holds nothing up', async () => {
    const server = await startHookServer();
    server.answer = (response) => void response.writeHead(301, { location: 'https://example.com/' }).end();
    const url = `https://localhost:${server.port}/`;
    const project = projectWith([{ on: ['approval'], webhook: url, allowHosts: ['localhost'] }], {
      NODE_EXTRA_CA_CERTS: CA_FILE,
    });
    project.write('plan.yaml', ASKS);
    const run = project.start('run', 'plan.yaml');
    const what = `notify[0] (webhook localhost:${server.port})`;
    await run.says(`Could not notify ${what} (approval): answered 301: redirects are not followed`);
    project.write('open', '');
    const { code, stderr } = await run.ended;
    expect([code, stderr]).toEqual([9, expect.stringContaining(`could not notify ${what} and gave up: answered 301`)]);
    const exported = await project.json<RunExport>('export', (await project.json<RunView>('status')).run.id);
    expect(exported.events).toContainEqual(
      expect.objectContaining({ type: 'notify-failed', notify: 'approval', to: what }),
    );
  });
});
