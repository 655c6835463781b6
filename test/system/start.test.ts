import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createProject, type TestProject } from '../support/cli.ts';
import { ROOT } from '../support/repository.ts';

const BUILT = path.join(ROOT, 'dist', 'bin', 'planq.cjs');

/** Writes down which files Node has loaded, and which parts of itself, when the process ends. */
const TELL = `process.on('exit', () => require('node:fs').writeFileSync(process.env.TELL,
  JSON.stringify({ files: Object.keys(require.cache), builtins: process.moduleLoadList })));`;

interface Built {
  code: number;
  stdout: string;
  stderr: string;
  /** Files of planq by name; those of packages as `node_modules/…`. */
  files: string[];
  builtins: string[];
}

/** Runs the built command, as it is installed. */
function built(project: TestProject, ...argv: string[]): Promise<Built> {
  const folder = mkdtempSync(path.join(project.dir, 'told-'));
  const [hook, told] = [path.join(folder, 'tell.cjs'), path.join(folder, 'told.json')];
  writeFileSync(hook, TELL);
  const env = { XDG_CACHE_HOME: path.join(project.dir, 'caches'), ...project.env, TELL: told };
  return new Promise((resolve) => {
    execFile(process.execPath, ['-r', hook, BUILT, ...argv], { cwd: project.dir, env }, (error, stdout, stderr) => {
      const loaded = existsSync(told) ? (JSON.parse(readFileSync(told, 'utf8')) as Built) : { files: [], builtins: [] };
      const files = loaded.files.filter((file) => file !== hook).map((file) => path.relative(ROOT, file));
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ code, stdout, stderr, files: files.sort(), builtins: loaded.builtins });
    });
  });
}

const isSlow = (builtin: string): boolean =>
  /^NativeModule (internal\/modules\/esm\/load|crypto|tls|child_process|https?|v8|readline|dns|fs\/promises|module|tty)$/.test(
    builtin,
  );

test.each(['--version', '-V'])('%s loads one file and no package', async (flag) => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const told = await built(createProject(), flag);
  expect(told).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '', files: ['dist/bin/planq.cjs'] });
  expect(told.builtins.filter(isSlow)).toEqual([]);
  expect(statSync(BUILT).size, 'only what the version needs, and the way to all else').toBeLessThan(8000);
});

test('the version is also told in company', async () => {
  const { stdout } = await built(createProject(), '-q', '--version');
  expect(stdout).toBe((await built(createProject(), '--version')).stdout);
});

const PLAN = `
name: Two
tasks:
  a: { master: development, phase: planning, run: echo hello }
  b: { master: development, needs: [a], agent: noop }
`;

test('what only looks at runs loads the Redis client and nothing else', async () => {
  const project = createProject();
  project.write('plan.yaml', PLAN);
  const run = await built(project, 'submit', 'plan.yaml', '--json');
  expect(run).toMatchObject({ code: 0, stderr: expect.not.stringContaining('error') });
  const { runId } = JSON.parse(run.stdout) as { runId: string };
  const looks = [['status'], ['status', runId, '--json'], ['list'], ['show', runId], ['inbox'], ['limits'], ['report']];
  for (const argv of looks) {
    const told = await built(project, ...argv);
    expect({ argv, ...told }).toMatchObject({ argv, code: 0 });
    expect(told.files).toEqual(['dist/bin/ioredis.cjs', 'dist/bin/planq.cjs', 'dist/bin/start.cjs']);
    expect(told.builtins.filter(isSlow)).toEqual([]);
  }
});

test('the Redis client of the bundle is the one of the package, without its client for clusters until that is asked for', () => {
  const told = execFileSync(process.execPath, ['-e', COMPARE], { encoding: 'utf8', cwd: ROOT });
  const [packaged, bundled] = JSON.parse(told) as { names: string[]; methods: string[]; cluster: string }[];
  expect(bundled).toEqual(packaged);
  expect(bundled!.methods.length).toBeGreaterThan(500);
});

/** What the package's client and the bundle's have, and in which order. */
const COMPARE = `const look = (client) => ({
  names: Object.keys(client),
  methods: Object.getOwnPropertyNames(Object.getPrototypeOf(client.prototype)),
  cluster: client.Cluster.name.replace('_', '') + client.Redis.Cluster.length + client.SentinelConnector.name + typeof client.SentinelIterator,
});
console.log(JSON.stringify(['ioredis', './dist/bin/ioredis.cjs'].map((name) => look(require(name)))));`;

test('a plan is checked without a Redis client', async () => {
  const project = createProject();
  project.write('plan.yaml', PLAN);
  const told = await built(project, 'validate', 'plan.yaml');
  expect(told).toMatchObject({ code: 0 });
  expect(told.files).toEqual(['planq', 'start', 'yaml', 'zod'].map((name) => `dist/bin/${name}.cjs`));
});

test('the built command finds its scripts, programs and packages: it works a plan to its end', async () => {
  const project = createProject();
  project.write('plan.yaml', PLAN);
  const told = await built(project, 'run', 'plan.yaml', '--json');
  expect(told).toMatchObject({ code: 0 });
  expect(JSON.parse(told.stdout.trim().split('\n').at(-1)!)).toMatchObject({ run: { state: 'completed' } });
  expect(readFileSync(path.join(project.dir, 'workspace', 'logs', 'a.log'), 'utf8')).toBe('hello\n');
});

test('errors of the built command have their code and exit code', async () => {
  const project = createProject();
  expect(await built(project, 'status', 'nothing')).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('run_not_found'),
  });
  expect(await built(project, 'stauts')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean status'),
  });
  project.env.REDIS_URL = '/nowhere/redis.sock';
  expect(await built(project, 'list')).toMatchObject({ code: 6, stderr: expect.stringContaining('redis_unreachable') });
});
