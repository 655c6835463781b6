import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createApp } from '../src/app.ts';

async function project(plan: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'planq-app-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(path.join(folder, 'plan.yaml'), plan);
  return folder;
}

test('the options of agents are checked before anything starts', async () => {
  const folder = await project('name: x\ntasks:\n  a: { agent: fake, with: { wrok: 1s } }\n  b: { agent: function }\n');
  const app = await createApp({ env: {}, cwd: folder });
  await expect(app.loadPlan('plan.yaml')).rejects.toMatchObject({
    code: 'plan_invalid',
    facts: {
      problems: expect.arrayContaining([
        expect.objectContaining({ code: 'agent-option-unknown' }),
        expect.objectContaining({ code: 'agent-option-missing', severity: 'error' }),
      ]),
    },
  });
});

test('a project folder that is not there is not made', async () => {
  await expect(
    createApp({ env: {}, cwd: '/', overrides: { projectDir: '/nonexistent/project' } }),
  ).rejects.toMatchObject({ code: 'usage' });
});

test('the default agent of the configuration is for tasks that name none, the one asked for is for all', async () => {
  const folder = await project('name: x\ntasks:\n  a: {}\n  b: { run: "true" }\n');
  await writeFile(path.join(folder, 'planq.config.json'), '{"agent":"noop"}');
  const kinds = async (agent?: string) => {
    const app = await createApp({ env: {}, cwd: folder, ...(agent === undefined ? {} : { agent }) });
    return (await app.loadPlan('plan.yaml')).plan.tasks.map((task) => task.agent);
  };
  expect(await kinds()).toEqual(['noop', 'command']);
  expect(await kinds('fake')).toEqual(['fake', 'fake']);
});

test.each([
  ['work', 'PLANQ_FAKE is not a JSON object of options by task id', undefined],
  ['["a"]', 'PLANQ_FAKE is not a JSON object of options by task id', undefined],
  ['{"work": "2s"}', 'PLANQ_FAKE["work"] is not an object of options', 'write {"*": {"work": …}} for all tasks'],
  ['{"*": {"wrok": "2s"}}', 'PLANQ_FAKE["*"] has the unknown option "wrok"', 'did you mean "work"?'],
  ['{"a": {"work": 2}}', 'PLANQ_FAKE["a"].work is wrong: 2 is not a duration such as 2s', undefined],
])('PLANQ_FAKE=%s is refused at the start', async (text, message, hint) => {
  await expect(createApp({ env: { PLANQ_FAKE: text }, cwd: tmpdir() })).rejects.toMatchObject({
    code: 'usage',
    message: 'cannot use the variable PLANQ_FAKE: it has 1 mistake',
    facts: { problems: [expect.objectContaining({ message, ...(hint === undefined ? {} : { hint }) })] },
  });
});

test('a PLANQ_FAKE that is right, or empty, is no obstacle', async () => {
  for (const text of ['', '{}', '{"*": {"work": "2s"}, "any/task": {"fail-times": "always"}}'])
    await (await createApp({ env: { PLANQ_FAKE: text }, cwd: tmpdir() })).close();
});
