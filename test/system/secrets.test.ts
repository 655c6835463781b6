import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createConnection } from '../../src/redis/connection.ts';
import { createProject, type TestProject } from '../support/cli.ts';
import { waitUntil } from '../support/processes.ts';
import { dumpRedis } from '../support/redis-dump.ts';
import { startRedisServer } from '../support/redis-server.ts';

// Several processes of the command line each, which a loaded machine starts in five seconds and more.
vi.setConfig({ testTimeout: 120_000 });

/** What is looked for, and what an agent may make of it. */
const CANARY = 'canary-"q7\\Zx+9/&-value';
const FORMS = [CANARY, Buffer.from(CANARY).toString('base64').replace(/=+$/, ''), encodeURIComponent(CANARY)];
FORMS.push(JSON.stringify(CANARY).slice(1, -1), JSON.stringify(JSON.stringify(CANARY).slice(1, -1)).slice(1, -1));

const PLAN = `
name: leak
on-failure: continue
secrets: [CANARY_TOKEN]
tasks:
  tells:
    run: |
      printf '%s\\n' "$CANARY_TOKEN"
      printf '%s' "$CANARY_TOKEN" | base64
      printf '::progress 40::at %s\\n' "$CANARY_TOKEN"
      printf '::warning::of %s\\n' "$CANARY_TOKEN"
      printf 'value=%s\\n' "$CANARY_TOKEN" >> "$PLANQ_OUTPUT"
      printf 'not a value %s\\n' "$CANARY_TOKEN" >> "$PLANQ_OUTPUT"
      printf '%s' "$CANARY_TOKEN" > "$PLANQ_OUTPUT_DIR/kept.txt"
      until [ -e go ]; do sleep 0.05; done
    outputs: [kept.txt]
  hears:
    needs: [tells]
    run: cp "$PLANQ_HANDOFF" "$PLANQ_OUTPUT_DIR/handoff.json"; printf 'failing with %s' "$CANARY_TOKEN"; exit 3
    retries: 0
  after:
    needs: [{ task: hears, when: failed }]
    run: 'true'
`;

function expectClean(what: string, text: string): void {
  const hits = FORMS.filter((form) => text.includes(form)).map((form) => {
    const at = text.indexOf(form);
    return `${what}: …${text.slice(Math.max(0, at - 80), at + 80)}…`;
  });
  expect(hits).toEqual([]);
}

function readCommandLines(): string {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => readOr(`/proc/${pid}/cmdline`)).join('\n');
}

/** The process may have ended since it was listed. */
function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function filesOf(project: TestProject): string[] {
  const names = readdirSync(project.dir, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(project.dir, path.join(entry.parentPath, entry.name)));
}

/** All that a command says. @throws when it says nothing, or does not know the run */
async function hear(project: TestProject, argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await project.planq(...argv);
  if (code !== 0 || stdout === '') throw new Error(`planq ${argv.join(' ')} ended with ${code}: ${stderr}`);
  return stdout + stderr;
}

/** What the agent itself wrote: its log, its results and its values. */
const AGENTS_OWN = /^workspace\/(logs\/.*\.log|outputs\/tells\/kept\.txt|attempts\/.*\/output)$/;

async function startLeak() {
  const server = await startRedisServer();
  onTestFinished(server.stop);
  const project = createProject();
  Object.assign(project.env, { REDIS_URL: server.socket, CANARY_TOKEN: CANARY });
  const worker = project.start('worker');
  // Only the worker has it.
  delete project.env.CANARY_TOKEN;
  await worker.says('worker-started');
  const redis = createConnection({ url: server.socket });
  onTestFinished(() => redis.disconnect());
  return { project, worker, redis };
}

describe('the value of a secret', () => {
  it('is nowhere but with the agent that was given it', async () => {
    const { project, worker, redis } = await startLeak();
    const { runId: run } = await project.json<{ runId: string }>('submit', project.write('plan.yaml', PLAN));
    const watch = project.start('watch', run, '--json');
    const running = await waitUntil('the agent has told all', async () => {
      const text = [...(await dumpRedis(redis)).values()].join('\n');
      return text.includes('at ***') && text.includes('of ***') ? text : undefined;
    });
    expectClean('Redis while it runs', running);
    expectClean('a command line', readCommandLines());
    expectClean('planq show', await hear(project, ['show', run, 'tells']));
    project.write('go', '');
    await watch.ended;

    const dump = await dumpRedis(redis);
    for (const [key, text] of dump) expectClean(`key ${key}`, text);
    expect([...dump.values()].join('\n')).toContain('***');
    for (const argv of [
      ['status', run],
      ['show', run, 'hears'],
      ['show', run, 'tells'],
      ['why', run, 'after'],
      ['list'],
    ]) {
      expectClean(`planq ${argv.join(' ')}`, await hear(project, argv));
      expectClean(`planq ${argv.join(' ')} --json`, await hear(project, [...argv, '--json']));
    }
    for (const argv of [
      ['report', run],
      ['report', run, '--format', 'json'],
      ['export', run],
    ])
      expectClean(`planq ${argv.join(' ')}`, await hear(project, argv));
    expectClean('planq watch --json', watch.stdout() + watch.stderr());
    worker.child.kill('SIGTERM');
    const { stdout, stderr } = await worker.ended;
    expectClean("the worker's log", stdout + stderr);
    expect(stdout).toContain('of ***');
    const files = filesOf(project).filter((name) => !AGENTS_OWN.test(name));
    expect(files).toEqual(
      expect.arrayContaining(['workspace/status/hears.json', 'workspace/attempts/hears/handoff.json']),
    );
    for (const name of files) expectClean(name, project.read(name));

    expect(project.read('workspace/logs/tells.log')).toContain(CANARY);
    expect((await project.planq('logs', run, 'tells')).stdout).toContain(CANARY);
    project.env.CANARY_TOKEN = CANARY;
    const masked = (await project.planq('logs', run, 'tells')).stdout;
    expectClean('planq logs of somebody who knows the secret', masked);
    expect(masked).toContain('at ***');
    // Some twenty processes, one after the other.
  }, 240_000);

  it('that is not there fails the task at once, and says which, where it was looked for, and on which worker', async () => {
    const project = createProject();
    project.write(
      'planq.config.json',
      JSON.stringify({ secretFiles: { DB_PASSWORD: 'run/db' }, times: { drain: '1s' } }),
    );
    const plan = 'name: x\ntasks:\n  a: { run: touch started, secrets: [NO_SUCH_KEY, DB_PASSWORD] }\n';
    const { code, stdout } = await project.planq('run', project.write('plan.yaml', plan));
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /Missing secrets: NO_SUCH_KEY \(looked in its environment\), DB_PASSWORD \(looked in the file run\/db\) on worker \S+ of host/,
    );
    const { tasks } = await project.json<{ tasks: { state: string; attempt: number }[] }>('status');
    expect(tasks).toMatchObject([{ state: 'failed', attempt: 1 }]);
    expect(filesOf(project)).not.toContain('started');
    expect(project.read('workspace/logs/a.log')).toContain('NO_SUCH_KEY');
  });
});
