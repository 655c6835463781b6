import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { CACHED_COMMANDS, findFolder } from '../../src/cli/code-cache.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { createProject, type TestProject } from '../support/cli.ts';
import { ROOT } from '../support/repository.ts';

const BUILT = path.join(ROOT, 'dist', 'bin');

/** Writes down which of our files V8 got with compiled code, and whether it took it. */
const TELL = `const vm = require('node:vm');
const { Script } = vm;
const seen = [];
vm.Script = class extends Script {
  constructor(text, options) {
    super(text, options);
    const { filename, cachedData } = options;
    const how = cachedData === undefined ? 'compiled' : this.cachedDataRejected ? 'rejected' : 'taken';
    seen.push(require('node:path').basename(filename, '.cjs') + ' ' + how);
  }
};
process.on('exit', () => require('node:fs').writeFileSync(process.env.TELL, JSON.stringify(seen)));`;

const PLAN = JSON.stringify({ name: 'One', tasks: { a: { agent: 'noop', master: 'development', phase: 'planning' } } });

const COMPILED = ['start compiled', 'yaml compiled', 'zod compiled'];
const TAKEN = ['start taken', 'yaml taken', 'zod taken'];

describe('the code that V8 has compiled', () => {
  let project: TestProject;
  let folder: string;
  beforeEach(() => {
    project = createProject();
    project.env.XDG_CACHE_HOME = path.join(project.dir, 'caches');
    folder = path.join(project.dir, 'caches', 'planq');
    project.write('plan.json', PLAN);
    project.write('tell.cjs', TELL);
  });

  interface Told {
    stdout: string;
    stderr: string;
    /** Of the files that went through the cache; null where there was none. */
    seen: string[];
  }

  let calls = 0;
  /** Performs the built command of a folder. */
  function call(argv = ['validate', 'plan.json'], bin = BUILT): Promise<Told> {
    const told = path.join(project.dir, `told-${calls++}.json`);
    const words = ['-r', path.join(project.dir, 'tell.cjs'), path.join(bin, 'planq.cjs'), ...argv];
    const options = { cwd: project.dir, env: { ...project.env, TELL: told } };
    return new Promise((resolve) => {
      execFile(process.execPath, words, options, (_error, stdout, stderr) => {
        resolve({ stdout, stderr, seen: JSON.parse(readFileSync(told, 'utf8')) as string[] });
      });
    });
  }

  const kept = (): string[] => readdirSync(folder).map((name) => path.join(folder, name));
  const keptOf = (name: string): string => kept().find((file) => path.basename(file).startsWith(`${name}-`))!;

  it('is kept by the first command and taken by the next', async () => {
    const first = await call();
    expect(first).toMatchObject({ stdout: expect.stringContaining('valid'), stderr: '', seen: COMPILED });
    const written = kept().map((file) => statSync(file).mtimeMs);
    expect(await call()).toEqual({ ...first, seen: TAKEN });
    expect(
      kept().map((file) => statSync(file).mtimeMs),
      'written once',
    ).toEqual(written);
  });

  it('is for its owner alone, whatever the umask is', async () => {
    execFileSync(
      'sh',
      ['-c', `umask 0; "$@"`, 'sh', process.execPath, path.join(BUILT, 'planq.cjs'), 'validate', 'plan.json'],
      {
        cwd: project.dir,
        env: project.env,
      },
    );
    expect([folder, ...kept()].map((file) => statSync(file).mode & 0o777)).toEqual([0o700, 0o600, 0o600, 0o600]);
  });

  it('is kept for each command, with what it uses', async () => {
    await call();
    expect((await call(['list'])).seen).toEqual(['start compiled', 'ioredis compiled']);
    expect((await call(['list'])).seen).toEqual(['start taken', 'ioredis taken']);
  });

  it.each([
    ['a bit is another', (file: string) => writeFileSync(file, flipLast(readFileSync(file)))],
    ['its end is missing', (file: string) => truncateSync(file, statSync(file).size - 1000)],
    ['it is empty', (file: string) => truncateSync(file)],
    ['others may read it', (file: string) => chmodSync(file, 0o644)],
  ])('is made anew when %s', async (_how, damage) => {
    const first = await call();
    damage(keptOf('start'));
    expect(await call()).toEqual({ ...first, seen: ['start compiled', 'yaml taken', 'zod taken'] });
    expect((await call()).seen).toEqual(TAKEN);
  });

  it('is made anew when V8 does not want it', async () => {
    await call();
    const [zod, start] = [readFileSync(keptOf('zod')), readFileSync(keptOf('start'))];
    const code = (bytes: Buffer): number => bytes.indexOf('\n') + 1;
    // Whole, with a checksum that is right, and of another text.
    writeFileSync(keptOf('zod'), Buffer.concat([zod.subarray(0, code(zod)), start.subarray(code(start))]));
    expect((await call()).seen).toEqual(['start taken', 'yaml taken', 'zod rejected']);
    expect((await call()).seen).toEqual(TAKEN);
  });

  it('is of one build: another of the same length in the same place compiles', async () => {
    const bin = path.join(project.dir, 'bin');
    cpSync(BUILT, bin, { recursive: true, preserveTimestamps: true });
    const start = path.join(bin, 'start.cjs');
    const text = readFileSync(start, 'utf8');
    const { size } = statSync(start);
    utimesSync(start, 1000, 1000);
    expect((await call(undefined, bin)).seen).toEqual(COMPILED);
    expect((await call(undefined, bin)).seen).toEqual(TAKEN);
    writeFileSync(start, text.replace('Runs plans of agent work', 'RUNS PLANS OF AGENT WORK'));
    utimesSync(start, 1000, 1000);
    expect([readFileSync(start, 'utf8') === text, statSync(start).size]).toEqual([false, size]);
    expect((await call(undefined, bin)).seen).toEqual(['start compiled', 'yaml taken', 'zod taken']);
  });

  it('is not shared by different settings of Node', async () => {
    await call();
    project.env.NODE_OPTIONS = '--max-old-space-size=200';
    expect((await call()).seen).toEqual(COMPILED);
    expect((await call()).seen).toEqual(TAKEN);
  });

  it('is whole when many write it at once', async () => {
    const calls = await Promise.all([call(), call(), call(), call()]);
    for (const { seen, stderr } of calls) expect({ seen: seen.length, stderr }).toEqual({ seen: 3, stderr: '' });
    expect(kept().length, 'nothing is left over').toBe(3);
    expect((await call()).seen).toEqual(TAKEN);
  });

  it('does not grow: the oldest files go', async () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (let at = 0; at < 40; at++) {
      const file = path.join(folder, `start-status-${at}`);
      writeFileSync(file, 'old');
      utimesSync(file, 1000 + at, 1000 + at);
    }
    await call();
    const names = readdirSync(folder);
    expect(names).toHaveLength(32);
    expect(names).toEqual(expect.arrayContaining(['start-status-39', 'start-status-11']));
    expect(names).not.toContain('start-status-10');
  });

  it.each([
    ['a folder that others may write', () => chmodSync(makeFolder('caches/planq'), 0o777)],
    ['a link', () => symlinkSync(makeFolder('elsewhere'), folder)],
    ['a file', () => project.write('caches/planq', 'a file')],
  ])('is not kept where there is %s', async (_what, make) => {
    makeFolder('caches');
    make();
    expect((await call()).stderr).toBe('');
    expect((await call()).seen).toEqual(COMPILED);
    if (statSync(folder).isDirectory()) expect(kept()).toEqual([]);
    else expect(project.read('caches/planq')).toBe('a file');
  });

  it('is not kept by what works, by help and by what went wrong', async () => {
    expect((await call(['run', 'plan.json'])).stdout).toContain('completed');
    await call(['--help']);
    await call(['validate', 'missing.json']);
    expect(existsSync(folder)).toBe(false);
  });

  it('is kept where Node is told to, and not at all when Node is told not to', async () => {
    project.env.NODE_COMPILE_CACHE = path.join(project.dir, 'wanted');
    await call();
    expect(existsSync(folder)).toBe(false);
    expect(readdirSync(path.join(project.dir, 'wanted', 'planq'))).toHaveLength(3);
    project.env.NODE_DISABLE_COMPILE_CACHE = '1';
    expect((await call()).seen).toEqual([]);
  });

  function makeFolder(name: string): string {
    const made = path.join(project.dir, name);
    mkdirSync(made, { recursive: true, mode: 0o700 });
    return made;
  }
});

function flipLast(bytes: Buffer): Buffer {
  bytes[bytes.length - 1000]! ^= 1;
  return bytes;
}

describe('the folder', () => {
  const home = mkdtempSync(path.join(tmpdir(), 'planq-home-'));
  afterAll(() => rmSync(home, { recursive: true }));
  const below = process.platform === 'darwin' ? 'Library/Caches/planq' : '.cache/planq';

  it.each([
    [{}, null],
    [{ HOME: home }, path.join(home, below)],
    [{ HOME: home, XDG_CACHE_HOME: '/var/caches' }, '/var/caches/planq'],
    [{ HOME: home, XDG_CACHE_HOME: 'relative' }, path.join(home, below)],
    [{ HOME: home, XDG_CACHE_HOME: '/var/caches', NODE_COMPILE_CACHE: '/wanted' }, '/wanted/planq'],
    [{ HOME: home, NODE_DISABLE_COMPILE_CACHE: '1', NODE_COMPILE_CACHE: '/wanted' }, null],
    [{ HOME: 'relative' }, null],
    [{ HOME: '/no/such/home' }, null],
    [{ HOME: path.join(import.meta.filename, 'home') }, null],
  ])('of %j is %j', (env, expected) => {
    expect(findFolder(env)).toBe(expected);
  });

  it("is none in somebody else's home", () => {
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(home, 1, 1);
    expect(findFolder({ HOME: isRoot ? home : '/' })).toBeNull();
  });
});

it('only commands that there are have their code kept', () => {
  const names = COMMANDS.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining([...CACHED_COMMANDS]));
  for (const long of ['run', 'worker', 'watch', 'retry', 'logs', 'drill']) expect(CACHED_COMMANDS).not.toContain(long);
});
