/**
 * A folder of task files from end to end, with the fake agent in real processes: the main job.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { KNOWN_AGENTS } from '../../src/agents/registry.ts';
import { retryRun } from '../../src/control/retry-run.ts';
import type { RunView, TaskView } from '../../src/flows/run-view.ts';
import { loadPlan } from '../../src/producer/load-plan.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, statesOf, type TestApp } from '../support/app.ts';
import { readJournal } from '../support/journal.ts';
import { writeTaskFolder } from '../support/task-folder.ts';

const PHASE_LIMITS: Record<string, number> = {
  analysis: 6,
  planning: 3,
  implementation: 10,
  validation: 2,
  optimization: 5,
};

interface Case {
  name: string;
  folder(app: TestApp): Promise<string>;
  tasks: number;
  edges: number;
  levels: number;
  /** A task that fails for good, and what that blocks: directly, and in all. */
  fails: { task: string; direct: number; all: number };
  /** A declared output that is left unwritten. */
  unwritten: { task: string; output: string; path: string };
  dangling: { task: string; input: string };
}

const CASES: Case[] = [
  {
    name: 'a small look-alike',
    folder: (app) => writeTaskFolder(app.projectDir),
    tasks: 6,
    edges: 6,
    levels: 5,
    fails: { task: '02-planning/01-choose', direct: 2, all: 3 },
    unwritten: {
      task: '01-analysis/02-sort',
      output: 'sorted.md',
      path: 'workspace/outputs/01-analysis/02-sort/sorted.md',
    },
    dangling: { task: '02-planning/01-choose', input: '../01-analysis/02-sort/nobody-writes-this.json' },
  },
];
const fixtures = process.env.PLANQ_FIXTURES;
if (fixtures !== undefined) {
  CASES.push({
    name: 'the real files',
    folder: async () => path.join(path.resolve(fixtures), 'ecma-rs/tasks'),
    tasks: 25,
    edges: 49,
    levels: 11,
    fails: { task: '02-planning/02-design-ast-nodes', direct: 12, all: 17 },
    unwritten: {
      task: '01-analysis/05-research-feature-usage',
      output: 'popular-patterns.md',
      path: 'workspace/outputs/01-analysis/05-research-feature-usage/popular-patterns.md',
    },
    dangling: {
      task: '02-planning/01-prioritize-features',
      input: '../01-analysis/05-research-feature-usage/usage-frequency.json',
    },
  });
}

async function load(app: TestApp, item: Case) {
  return loadPlan(await item.folder(app), {
    cwd: app.projectDir,
    knownAgents: KNOWN_AGENTS,
    resources: {},
    agent: 'fake',
  });
}

/** @param steer options of the fake agent per task */
async function perform(app: TestApp, item: Case, steer: Record<string, unknown>, inputs: 'strict' | 'warn' = 'warn') {
  const journal = path.join(app.projectDir, 'journal.ndjson');
  const { runId } = await app.submit(await load(app, item), { inputs });
  await app.startPool({
    env: { PLANQ_FAKE: JSON.stringify({ '*': { work: '30ms' }, ...steer }), PLANQ_FAKE_JOURNAL: journal },
  });
  return { runId, journal };
}

const at = (time: string | null): number => Date.parse(time ?? '');

/** The most of `tasks` that ran at one instant, by their own times. */
function mostAtOnce(tasks: readonly TaskView[]): number {
  return Math.max(
    ...tasks.map(
      (one) =>
        tasks.filter((other) => at(other.startedAt) <= at(one.startedAt) && at(other.finishedAt) > at(one.startedAt))
          .length,
    ),
  );
}

function expectOrder(view: RunView): void {
  const byId = new Map(view.tasks.map((task) => [task.id, task]));
  for (const task of view.tasks) {
    for (const need of task.needs) expect(at(task.startedAt)).toBeGreaterThanOrEqual(at(byId.get(need)!.finishedAt));
  }
}

test.each(CASES)('$name: every task runs after all it needs, under the limits', async (item) => {
  const app = await createTestApp();
  const { plan, graph } = await load(app, item);
  expect(plan.tasks).toHaveLength(item.tasks);
  expect(plan.tasks.flatMap((task) => task.needs)).toHaveLength(item.edges);
  expect(graph.stages).toHaveLength(item.levels);
  const { runId, journal } = await perform(app, item, {});
  const view = await app.atRest(runId, 60_000);
  expect(view.run.state).toBe('completed');
  expect(view.run.counts).toMatchObject({ total: item.tasks, completed: item.tasks });
  expectOrder(view);
  expect(mostAtOnce(view.tasks)).toBeLessThanOrEqual(10);
  for (const phase of new Set(view.tasks.map((task) => task.phase))) {
    expect(mostAtOnce(view.tasks.filter((task) => task.phase === phase))).toBeLessThanOrEqual(PHASE_LIMITS[phase]!);
  }
  for (const task of view.tasks) {
    const status = JSON.parse(await app.file(`workspace/status/${task.id}.json`)) as Record<string, unknown>;
    expect(status).toMatchObject({ task_id: task.id, status: 'completed', outputs_validated: true, exit_code: 0 });
    expect(Object.keys(status).sort()).toEqual([
      'agent_id',
      'completed_at',
      'duration_seconds',
      'exit_code',
      'outputs_validated',
      'started_at',
      'status',
      'task_id',
    ]);
    expect(status.started_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  }
  const ends = (await readJournal(journal)).filter((entry) => entry.event === 'end');
  expect(ends).toHaveLength(item.tasks);
});

test.each(CASES)(
  '$name: a task that fails for good blocks what depends on it; after retry nothing that completed runs again',
  async (item) => {
    const app = await createTestApp();
    const { task } = item.fails;
    const { runId, journal } = await perform(app, item, { [task]: { work: '1ms', 'fail-times': 3 } });
    const view = await app.atRest(runId, 60_000);
    expect(view.run.state).toBe('blocked');
    const blocked = view.tasks.filter((one) => one.state === 'blocked');
    expect(blocked).toHaveLength(item.fails.all);
    expect(blocked.every((one) => one.blockedBy.length === 1 && one.blockedBy[0] === task)).toBe(true);
    expect(blocked.filter((one) => one.needs.includes(task))).toHaveLength(item.fails.direct);
    expect(view.run.counts).toMatchObject({ failed: 1, completed: item.tasks - item.fails.all - 1 });
    expect(JSON.parse(await app.file(`workspace/status/${task}.json`))).toMatchObject({
      status: 'failed',
      exit_code: 1,
      error: 'Exit code 1',
    });
    for (const one of blocked) {
      expect(JSON.parse(await app.file(`workspace/status/${one.id}.json`))).toEqual({
        task_id: one.id,
        status: 'blocked',
        blocked_by: task,
        blocked_by_all: [task],
      });
    }
    const before = (await readJournal(journal)).length;
    // Attempts are counted anew after a retry; this worker's agents do not fail any more.
    const second = await app.startPool({
      env: { PLANQ_FAKE: JSON.stringify({ '*': { work: '1ms' } }), PLANQ_FAKE_JOURNAL: journal },
    });
    await app.stopOthers(second);
    await retryRun(app.store, systemClock, runId);
    const after = await app.atRest(runId, 60_000);
    expect(after.run.counts).toMatchObject({ completed: item.tasks, failed: 0, blocked: 0 });
    const again = (await readJournal(journal)).slice(before).filter((entry) => entry.event === 'start');
    expect(again.map((entry) => entry.task).sort()).toEqual([task, ...blocked.map((one) => one.id)].sort());
  },
);

test.each(CASES)('$name: an output left unwritten fails its task with the path', async (item) => {
  const app = await createTestApp();
  const { task, output, path: missing } = item.unwritten;
  const { runId } = await perform(app, item, { [task]: { 'skip-outputs': [output] } });
  const view = await app.atRest(runId, 60_000);
  expect(statesOf(view)[task]).toBe('failed');
  expect(view.tasks.find((one) => one.id === task)).toMatchObject({
    reason: `Missing outputs: ${missing}`,
    attempt: 3,
    exitCode: 0,
  });
  expect(JSON.parse(await app.file(`workspace/status/${task}.json`))).toMatchObject({
    status: 'failed',
    error: 'Missing outputs',
    outputs_validated: false,
  });
  expect(await readFile(path.join(app.projectDir, 'workspace/logs', `${task}.log`), 'utf8')).toContain(
    `ERROR: Missing output: ${missing}\n`,
  );
});

test.each(CASES)(
  '$name: without a word about it, the task with the dangling input stops with its name',
  async (item) => {
    const app = await createTestApp();
    const { runId } = await perform(app, item, {}, 'strict');
    const view = await app.atRest(runId, 60_000);
    expect(view.run.state).toBe('blocked');
    expect(view.tasks.find((one) => one.id === item.dangling.task)).toMatchObject({
      state: 'failed',
      attempt: 1,
      reason: `Missing inputs: ${item.dangling.input}`,
    });
  },
);
