import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createProject, type TestProject } from '../support/cli.ts';
import { freePort, PASSWORD, startGuardedServer } from '../support/redis-access.ts';
import { SERVER_COMMANDS, startRedisServer } from '../support/redis-server.ts';

// Several processes of the command line each, which a loaded machine starts in five seconds and more.
vi.setConfig({ testTimeout: 120_000 });

/** As written in an address, and as it is. */
const SECRETS = [PASSWORD, encodeURIComponent(PASSWORD)];

function expectNoPassword(text: string): void {
  expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
}

function readCommandLines(): string {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        // It has ended since it was listed.
        return '';
      }
    })
    .join('\n');
}

const PLAN = `
name: rights
limits: { agents: 2, gpu: 1 }
barrier: none
tasks:
  a: { run: 'echo hello; sleep 0.2', takes: [gpu] }
  b: { run: sleep 0.2, takes: [gpu] }
  c: { run: 'test -e again || { touch again; exit 1; }', needs: [a, b] }
  d: { run: 'false', retries: 0, needs: [c] }
  e: { run: 'true', needs: [d] }
  f: { run: 'true', approval: true }
`;

describe('the user that the docs make', () => {
  it('performs runs with two workers, limits, retries, pauses, cancels and prunes, and nothing is refused', async () => {
    const project = createProject();
    const server = await startGuardedServer(project.env.PLANQ_PREFIX ?? '');
    onTestFinished(server.stop);
    project.env.REDIS_URL = server.url;
    const workers = [project.start('worker', '--concurrency', '2'), project.start('worker', '--concurrency', '2')];
    for (const worker of workers) await worker.says('worker-started');
    expectNoPassword(readCommandLines());
    const heard: string[] = [];
    const planq = async (...argv: string[]): Promise<number | null> => {
      const { code, stdout, stderr } = await project.planq(...argv);
      heard.push(stdout, stderr);
      return code;
    };
    const submit = async (): Promise<string> =>
      (await project.json<{ runId: string }>('submit', project.write('plan.yaml', PLAN))).runId;

    const run = await submit();
    expect(await planq('pause', run)).toBe(0);
    expect(await planq('resume', run)).toBe(0);
    expect(await planq('approve', run, 'f')).toBe(0);
    expect(await planq('watch', run, '--json')).toBe(1);
    expect(await planq('why', run, 'e')).toBe(0);
    expect(await planq('skip', run, 'd')).toBe(0);
    expect(await planq('watch', run, '--json')).toBe(0);
    const other = await submit();
    expect(await planq('cancel', other)).toBe(0);
    for (const command of ['list', 'inbox']) expect(await planq(command)).toBe(0);
    for (const command of ['show', 'logs']) expect(await planq(command, run, 'a')).toBe(0);
    expect(await planq('export', run, '--json')).toBe(0);
    expect(await planq('prune', '--older-than', '1ms')).toBe(0);
    const { checks } = await project.json<{ checks: { name: string; status: string }[] }>('doctor');
    expect(checks.filter(({ name, status }) => status !== 'ok' && name !== 'process-control')).toEqual([]);
    for (const worker of workers) worker.child.kill('SIGTERM');
    for (const { ended } of workers) {
      const { stdout, stderr } = await ended;
      heard.push(stdout, stderr);
    }
    expect(await server.denials()).toEqual([]);
    expectNoPassword(heard.join('\n'));
    // Some twenty processes, one after the other.
  }, 240_000);

  it('is told what cannot be checked, or what is missing, when it has other rights', async () => {
    const project = createProject();
    const server = await startGuardedServer(project.env.PLANQ_PREFIX ?? '', ['-info']);
    onTestFinished(server.stop);
    project.env.REDIS_URL = server.url;
    const { code, stdout, stderr } = await project.planq('list', '--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([
      6,
      { code: 'redis_unfit', hint: expect.stringContaining('docs/redis.md') },
    ]);
    expectNoPassword(stdout + stderr);
  });
});

describe('the password of an address', () => {
  it.each([
    ['wrong', (port: number) => `redis://planq:${encodeURIComponent(`${PASSWORD}x`)}@127.0.0.1:${port}`],
    [
      'of a server that is away',
      (port: number) => `redis://planq:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port + 1}`,
    ],
    ['not encoded', (port: number) => `redis://planq:${PASSWORD}@127.0.0.1:${port}`],
    ['in no address at all', () => `redis:planq:${PASSWORD}`],
    ['in an address of another kind', () => `http://planq:${encodeURIComponent(PASSWORD)}@localhost`],
  ])(
    'is not shown when it is %s',
    async (_what, address) => {
      const project = createProject();
      const server = await startGuardedServer('planq');
      onTestFinished(server.stop);
      project.env.REDIS_URL = address(server.port);
      for (const argv of [['list', '--json'], ['doctor'], ['worker']]) {
        const { code, stdout, stderr } = await project.planq(...argv);
        expect(code).not.toBe(0);
        expectNoPassword(stdout + stderr);
      }
    },
    60_000,
  );
});

describe('a server that may lose runs', () => {
  it('is warned of once, in words of ours alone', async () => {
    const server = await startRedisServer([
      ['appendonly', 'no'],
      ['maxmemory-policy', 'allkeys-lru'],
    ]);
    onTestFinished(server.stop);
    const project = createProject();
    project.env.REDIS_URL = server.socket;
    const plan = project.write('plan.yaml', "name: x\ntasks: { a: { run: 'true' } }\n");
    const { code, stderr } = await project.planq('run', plan, '--volatile');
    expect(code).toBe(0);
    expect(stderr.match(/allkeys-lru/g)).toHaveLength(1);
    expect(stderr).toContain('may lose runs');
  });
});

/** A certificate for 127.0.0.1, signed by itself. */
function makeCertificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=planq-test';
  const more = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...words.split(' '), ...more], { stdio: 'ignore' });
  return { cert, key };
}

/** Whether the server program here was built with TLS, and openssl is there to make a certificate. */
function hasTls(): boolean {
  const isBuilt = SERVER_COMMANDS.some((command) => {
    const { stdout, error } = spawnSync(command, ['--tls-port', 'no-number', '--port', '0'], { encoding: 'utf8' });
    return error === undefined && !/Bad directive/.test(stdout);
  });
  return isBuilt && spawnSync('openssl', ['version']).error === undefined;
}

async function startTlsProject(): Promise<{ project: TestProject; cert: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'planq-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = makeCertificate(folder);
  const port = await freePort();
  const server = await startRedisServer([
    ['tls-port', String(port)],
    ['tls-cert-file', cert],
    ['tls-key-file', key],
    ['tls-auth-clients', 'no'],
    ['requirepass', PASSWORD],
  ]);
  onTestFinished(server.stop);
  const project = createProject();
  project.env.REDIS_URL = `rediss://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`;
  return { project, cert };
}

if (hasTls())
  describe('a server behind TLS', () => {
    it('is used when its authority is known, and refused when it is not', async () => {
      const { project, cert } = await startTlsProject();
      const plan = project.write('plan.yaml', "name: x\ntasks: { a: { run: 'true' } }\n");
      const refused = await project.planq('run', plan);
      expect(refused.code).toBe(6);
      expect(refused.stderr).toMatch(/self-signed certificate/);
      expectNoPassword(refused.stdout + refused.stderr);
      project.env.NODE_EXTRA_CA_CERTS = cert;
      const run = await project.planq('run', plan);
      expect([run.code, run.stderr]).toEqual([0, '']);
    });
  });
