import { expect, it } from 'vitest';
import { buildEnvironment, type EnvironmentParts } from '../../src/agents/environment.ts';
import { readMark } from '../../src/agents/worker-mark.ts';
import { makeTask } from '../support/agent.ts';

const WORDS = {
  PLANQ_RUN_ID: 'r1',
  PLANQ_TASK_ID: 'design',
  PLANQ_ATTEMPT: '2',
  PLANQ_HANDOFF: '/w/handoff.json',
  PLANQ_PROMPT: '/w/prompt.txt',
  PLANQ_OUTPUT: '/w/values',
  PLANQ_OUTPUT_DIR: '/w/outputs/design',
  PLANQ_WORKSPACE: '/w',
  PLANQ_ATTEMPT_TOKEN: 'secret',
};

function build(parts: Partial<EnvironmentParts>): Record<string, string> {
  return buildEnvironment({
    workerEnv: {},
    task: makeTask(),
    runId: 'r1',
    attempt: 2,
    token: 'secret',
    outputDir: '/w/outputs/design',
    workspaceDir: '/w',
    handoffFile: '/w/handoff.json',
    promptFile: '/w/prompt.txt',
    outputFile: '/w/values',
    ...parts,
  });
}

it('tells an agent where everything is', () => {
  expect(build({})).toEqual(WORDS);
});

it('tells whose agent it is, whatever the plan says', () => {
  const worker = { id: 'host-7-abcd', pid: 7, startTime: '99', place: 'host/pid:[1]' };
  const task = makeTask({ env: { PLANQ_WORKER_PID: '1' } });
  const env = build({ worker, task });
  expect(env).toMatchObject({
    PLANQ_WORKER: 'host-7-abcd',
    PLANQ_WORKER_PID: '7',
    PLANQ_WORKER_START: '99',
    PLANQ_WORKER_PLACE: 'host/pid:[1]',
  });
  expect(readMark(new Map(Object.entries(env)))).toEqual(worker);
  expect(readMark(new Map(Object.entries({ ...env, PLANQ_WORKER_PID: '1x' })))).toBeUndefined();
  expect(readMark(new Map(Object.entries(build({}))))).toBeUndefined();
});

it('takes from the worker what is allowed and nothing else', () => {
  const workerEnv = {
    PATH: '/bin',
    HOME: '/root',
    LC_ALL: 'C',
    PLANQ_FAKE: '{}',
    PLANQ_FAKE_JOURNAL: '/tmp/j',
    REDIS_URL: 'redis://:password@host',
    PLANQ_TOKEN: 't',
    AWS_SECRET: 's',
    NODE_OPTIONS: '--inspect',
    UNSET: undefined,
  };
  const { PATH, HOME, LC_ALL, PLANQ_FAKE, PLANQ_FAKE_JOURNAL } = workerEnv;
  expect(build({ workerEnv })).toEqual({ ...WORDS, PATH, HOME, LC_ALL, PLANQ_FAKE, PLANQ_FAKE_JOURNAL });
});

it('takes what the configuration names, but never the address of Redis', () => {
  const workerEnv = { ANTHROPIC_API_KEY: 'k', AWS_A: 'a', AWS_B: 'b', REDIS_URL: 'redis://host' };
  const passEnv = ['ANTHROPIC_API_KEY', 'AWS_*', 'REDIS_URL'];
  expect(build({ workerEnv, passEnv })).toEqual({ ...WORDS, ANTHROPIC_API_KEY: 'k', AWS_A: 'a', AWS_B: 'b' });
  expect(build({ workerEnv, passEnv: ['*'] })).not.toHaveProperty('REDIS_URL');
});

it('lets the plan replace what comes from the worker, and nothing of ours', () => {
  const task = makeTask({
    env: { LANG: 'de', MODE: 'fast', PLANQ_RUN_ID: 'forged', PLANQ_ATTEMPT_TOKEN: 'forged' },
    matrix: { 'node-version': '20', os: 'linux' },
  });
  const expected = { ...WORDS, LANG: 'de', MODE: 'fast', MATRIX_NODE_VERSION: '20', MATRIX_OS: 'linux' };
  expect(build({ task, workerEnv: { LANG: 'en' } })).toEqual(expected);
});
