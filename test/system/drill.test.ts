/**
 * `planq drill` as a user starts it: what it says, and that nothing of it remains.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { DrillReport } from '../../src/drill/drill.ts';
import { findSurvivors } from '../../src/drill/survivors.ts';
import { createConnection } from '../../src/redis/connection.ts';
import { createProject, type Running, type TestProject } from '../support/cli.ts';
import { waitUntil } from '../support/processes.ts';

function connect(): ReturnType<typeof createConnection> {
  const redis = createConnection({ url: inject('redisUrl') });
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function keysOf(redis: ReturnType<typeof createConnection>, prefix: string): Promise<string[]> {
  return redis.keys(`{${prefix}*`);
}

/** Everything that a drill may leave. The folder's name is in the command line of all that it starts. */
async function remains(project: TestProject, folder: string): Promise<unknown> {
  const keys = await keysOf(connect(), `${project.env.PLANQ_PREFIX}`);
  return { keys, processes: findSurvivors(folder), folder: existsSync(folder) };
}

const NOTHING = { keys: [], processes: [], folder: false };

/** What the drill says before it starts anything. */
async function announced(drill: Running): Promise<{ prefix: string; folder: string }> {
  return waitUntil(
    'the drill says where it works',
    () => {
      const prefix = /keys under "([^"]+)"/.exec(drill.stderr())?.[1];
      const folder = /folder {2}(\/\S+),/.exec(drill.stderr())?.[1];
      return prefix === undefined || folder === undefined ? undefined : { prefix, folder };
    },
    20_000,
  );
}

describe('planq drill', () => {
  it('breaks workers of its own, tells what held, and leaves nothing', async () => {
    const project = createProject();
    const { code, stdout, stderr } = await project.planq('drill', '--only', 'fail,limits,kill', '--json');
    const report = JSON.parse(stdout) as DrillReport;
    // How long the task took to start again says as much of the machine that runs the tests.
    const broken = report.checks.flatMap(({ counts }) =>
      counts.filter(({ value, bar, unit }) => value > bar && unit === ''),
    );
    expect(broken).toEqual([]);
    expect(code).toBe(report.ok ? 0 : 1);
    expect(report).toMatchObject({ kept: false, tier: expect.stringMatching(/^[AB]$/) });
    expect(report.checks.map(({ name }) => name)).toEqual(['fail', 'kill', 'limits']);
    for (const check of report.checks)
      expect(check).toEqual({
        name: expect.any(String),
        status: check.counts.every(({ value, bar }) => value <= bar) ? 'ok' : 'failed',
        reason: null,
        durationMs: expect.any(Number),
        facts: [expect.any(String)],
        counts: expect.arrayContaining([
          { name: expect.any(String), value: expect.any(Number), bar: expect.any(Number), unit: expect.any(String) },
        ]),
      });
    expect(report.prefix).toMatch(new RegExp(`^${project.env.PLANQ_PREFIX}-drill-`));
    expect(stderr).toContain('Nothing of yours is touched');
    expect(stderr).toContain(`keys under "${report.prefix}"`);
    expect(await remains(project, report.folder)).toEqual(NOTHING);
  });

  it('prints a line for each check and keeps the folder when asked to', async () => {
    const project = createProject();
    const { code, stdout } = await project.planq('drill', '--only', 'redo', '--keep');
    const [line, summary, kept] = stdout.trim().split('\n');
    expect(line).toMatch(/^ok {7}redo {4}.*runs of one key 1\/1/);
    expect(summary).toMatch(/^1 of 1 held in /);
    const folder = /^kept: (\/\S+)$/.exec(kept ?? '')?.[1] ?? '';
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    expect(existsSync(`${folder}/journal.ndjson`)).toBe(true);
    expect(await remains(project, folder)).toEqual({ ...NOTHING, folder: true });
    expect(code).toBe(0);
  });

  it('fails when a promise is broken: here somebody raises the limit behind its back', async () => {
    const project = createProject();
    const redis = connect();
    const drill = project.start('drill', '--only', 'limits');
    const { prefix, folder } = await announced(drill);
    const caps = `{${prefix}}:limits:caps`;
    await waitUntil('the limit is set', async () => (await redis.hexists(caps, 'res:slots')) === 1, 20_000);
    await redis.hset(caps, 'res:slots', '12');
    const { code, stdout } = await drill.ended;
    expect(stdout).toMatch(/^FAILED {3}limits {2}most at once \d+\/2/);
    expect(stdout).toContain('0 of 1 held, 1 failed');
    expect(code).toBe(1);
    expect(await remains(project, folder)).toEqual(NOTHING);
  });

  it('ends with 130 at Ctrl-C, and leaves nothing then either', async () => {
    const project = createProject();
    const redis = connect();
    const drill = project.start('drill', '--only', 'hang,kill');
    const { prefix, folder } = await announced(drill);
    const used = `{${prefix}}:limits:used`;
    await waitUntil('an agent works', async () => Number((await redis.hget(used, 'agents')) ?? 0) > 0, 20_000);
    expect(findSurvivors(folder)).not.toEqual([]);
    drill.child.kill('SIGINT');
    const { code, stdout } = await drill.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(await remains(project, folder)).toEqual(NOTHING);
  });

  it('ends its workers also when it is killed itself', async () => {
    const project = createProject();
    const drill = project.start('drill', '--only', 'redo,deploy');
    const { folder, prefix } = await announced(drill);
    onTestFinished(async () => {
      for (const pid of findSurvivors(folder)) process.kill(pid, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    });
    const redis = connect();
    await waitUntil('workers are up', async () => (await redis.hlen(`{${prefix}}:workers`)) === 2, 20_000);
    drill.child.kill('SIGKILL');
    await waitUntil('all that it started has ended', () => findSurvivors(folder).length === 0, 10_000);
  });

  it('refuses a check that it does not know, with the nearest name', async () => {
    const { code, stderr } = await createProject().planq('drill', '--only', 'kil');
    expect(stderr).toContain('There is no check "kil". Did you mean "kill"?');
    expect(code).toBe(2);
  });
});
