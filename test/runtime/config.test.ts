import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Config, type ConfigOverrides, describeKeep, loadConfig } from '../../src/runtime/config.ts';
import type { Problem } from '../../src/runtime/problem.ts';

describe('the configuration', () => {
  let folder: string;
  const writeConfig = (content: unknown): Promise<void> =>
    writeFile(path.join(folder, 'planq.config.json'), typeof content === 'string' ? content : JSON.stringify(content));
  const load = async (env: NodeJS.ProcessEnv = {}, overrides: ConfigOverrides = {}): Promise<Config> => {
    const result = await loadConfig(env, overrides, folder);
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    return result.value;
  };
  const problemsOf = async (env: NodeJS.ProcessEnv = {}): Promise<Problem[]> => {
    const result = await loadConfig(env, {}, folder);
    return result.ok ? [] : result.error;
  };
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'planq-config-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('needs nothing: the defaults do', async () => {
    expect(await load()).toMatchObject({
      projectDir: folder,
      redisUrl: null,
      prefix: 'planq',
      volatile: false,
      workspace: 'workspace',
      agent: null,
      limits: {
        agents: 10,
        phases: { analysis: 6, planning: 3, implementation: 10, validation: 2, optimization: 5 },
        masters: {},
        resources: {},
        cpusPerAgent: 4,
        memoryPerAgent: 8_000_000_000,
      },
      isolation: 'auto',
      concurrency: 10,
      passEnv: [],
      times: { lockMs: 30_000, stalledMs: 15_000, guardianMarginMs: 6000, graceMs: 10_000 },
    });
  });

  it('takes the file over the defaults, the environment over the file, the command line over all', async () => {
    await writeConfig({ redis: 'redis://file', prefix: 'file', workspace: 'file', concurrency: 3 });
    expect(await load()).toMatchObject({ redisUrl: 'redis://file', prefix: 'file', workspace: 'file', concurrency: 3 });
    const env = { REDIS_URL: 'redis://env', PLANQ_PREFIX: 'env' };
    expect(await load(env, { workspace: 'line', concurrency: 4 })).toMatchObject({
      redisUrl: 'redis://env',
      prefix: 'env',
      workspace: 'line',
      concurrency: 4,
    });
  });

  it('finds the project by the command line, else by the environment, else where one stands', async () => {
    const elsewhere = path.join(folder, 'elsewhere');
    expect((await load({ PLANQ_PROJECT: 'elsewhere' })).projectDir).toBe(elsewhere);
    expect((await load({ PLANQ_PROJECT: 'x' }, { projectDir: elsewhere })).projectDir).toBe(elsewhere);
  });

  it('adds phase limits to the known ones', async () => {
    await writeConfig({ limits: { agents: 2, phases: { planning: 1, review: 4 }, resources: { gpu: 1 } } });
    expect((await load()).limits).toMatchObject({
      agents: 2,
      phases: { analysis: 6, planning: 1, review: 4 },
      resources: { gpu: 1 },
    });
  });

  it('keeps ended runs for a while, and each rule can be switched off, or all', async () => {
    expect((await load()).keep).toEqual({
      completedMs: 30 * 86_400_000,
      failedMs: 90 * 86_400_000,
      cancelledMs: 30 * 86_400_000,
      runs: 10_000,
    });
    await writeConfig({ keep: { completed: '12h', failed: 'off', cancelled: false, runs: 5 } });
    const { keep } = await load();
    expect(keep).toEqual({ completedMs: 12 * 3_600_000, failedMs: null, cancelledMs: null, runs: 5 });
    expect(describeKeep(keep)).toBe('completed for 12 h 00 min, failed for ever, cancelled for ever, at most 5');
    for (const all of ['off', false]) {
      await writeConfig({ keep: all });
      expect((await load()).keep).toEqual({ completedMs: null, failedMs: null, cancelledMs: null, runs: null });
    }
  });

  it('says what is wrong with a keep rule, and lets nothing else be switched off', async () => {
    await writeConfig({ keep: { completed: 30, runs: 0, faild: '1d' }, concurrency: false });
    expect((await problemsOf()).map(({ message, hint }) => [message, hint])).toEqual([
      ['"concurrency" must be a whole number, 1 or more', undefined],
      ['"keep.completed" must be a duration such as "30s", or "off"', undefined],
      ['"keep.runs" must be a whole number, 1 or more, or "off"', undefined],
      ['unknown key "keep.faild"', 'did you mean "failed"?'],
    ]);
  });

  it('knows what an agent may use and where it lives', async () => {
    await writeConfig({ isolation: 'namespace', limits: { cpusPerAgent: 0.5, memoryPerAgent: '512MiB' } });
    const { isolation, limits } = await load();
    expect([isolation, limits.cpusPerAgent, limits.memoryPerAgent]).toEqual(['namespace', 0.5, 2 ** 29]);
  });

  it.each([
    [{ isolation: 'docker' }, '"isolation" must be "auto", "namespace", "none"'],
    [{ limits: { cpusPerAgent: 0 } }, '"limits.cpusPerAgent" must be a number above 0'],
    [{ limits: { memoryPerAgent: 8 } }, '"limits.memoryPerAgent" must be a size such as "8GB"'],
    [{ limits: { memoryPerAgent: '0GB' } }, '"limits.memoryPerAgent" must be a size such as "8GB"'],
    [{ limits: { memoryPerAgent: '8 apples' } }, '"limits.memoryPerAgent" must be a size such as "8GB"'],
  ])('refuses %j', async (content, message) => {
    await writeConfig(content);
    expect((await problemsOf()).map((problem) => problem.message)).toEqual([message]);
  });

  it('scales all times of liveness with the lock, in their order', async () => {
    const { times } = await load({ PLANQ_LOCK_MS: '1000' });
    expect(times).toMatchObject({ lockMs: 1000, stalledMs: 500, guardianMarginMs: 200 });
    expect(times.guardianMarginMs).toBeLessThan(times.stalledMs);
    await writeConfig({ times: { lock: '20s', grace: '500ms' } });
    expect((await load()).times).toMatchObject({ lockMs: 20_000, stalledMs: 10_000, graceMs: 500 });
  });

  it('tells all mistakes at once, with the place and the nearest word', async () => {
    await writeConfig({ concurency: 3, limits: { agents: 0, phase: {} }, volatile: 'yes', times: { grace: '10' } });
    const problems = await problemsOf({ PLANQ_LOCK_MS: 'soon', PLANQ_PREFIX: 'a b' });
    expect(problems.map(({ message }) => message).sort()).toEqual([
      '"limits.agents" must be a whole number, 1 or more',
      '"times.grace" must be a duration such as "30s"',
      '"volatile" must be true or false',
      'PLANQ_LOCK_MS "soon" is not a whole number of milliseconds, 200 or more',
      'prefix "a b" may have letters, digits, "-" and "_" only',
      'unknown key "concurency"',
      'unknown key "limits.phase"',
    ]);
    expect(problems.map(({ hint }) => hint)).toEqual(
      expect.arrayContaining(['did you mean "concurrency"?', 'did you mean "phases"?']),
    );
    expect(problems.every(({ severity }) => severity === 'error')).toBe(true);
  });

  it.each(['{', '[]', 'null', '3'])('refuses a file that holds no JSON object: %s', async (text) => {
    await writeConfig(text);
    expect(await problemsOf()).toEqual([
      expect.objectContaining({ severity: 'error', file: path.join(folder, 'planq.config.json') }),
    ]);
  });

  it('is not led astray by the names of what every object has', async () => {
    await writeConfig('{ "__proto__": { "prefix": "polluted" }, "constructor": 1 }');
    expect((await problemsOf()).map(({ message }) => message)).toEqual([
      'unknown key "__proto__"',
      'unknown key "constructor"',
    ]);
    expect(Object.hasOwn(Object.prototype, 'prefix')).toBe(false);
  });

  it('is frozen to the bottom', async () => {
    const config = await load();
    expect(() => Object.assign(config, { prefix: 'x' })).toThrow(TypeError);
    expect(() => Object.assign(config.limits.phases, { planning: 99 })).toThrow(TypeError);
    expect(() => config.passEnv.push('SECRET')).toThrow(TypeError);
  });
});
