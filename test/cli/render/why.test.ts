import { expect, it } from 'vitest';
import { renderInbox } from '../../../src/cli/render/inbox.ts';
import { renderLimits } from '../../../src/cli/render/limits.ts';
import { renderRunWhy, renderTaskWhy } from '../../../src/cli/render/why.ts';
import { type Line, plain, renderLine } from '../../../src/cli/terminal/style.ts';
import type { InboxItem } from '../../../src/control/inbox.ts';
import { STARTED_AT } from '../../support/run-view.ts';

const text = (lines: readonly Line[]): string[] => lines.map((line) => renderLine(line, plain));
const since = new Date(STARTED_AT).toISOString();

it('reasons come with what would clear them', () => {
  const reasons = [
    { code: 'limit' as const, message: 'gpu: 1 of 1 in use', clear: 'it starts by itself', command: null },
    {
      code: 'paused' as const,
      message: 'run r is paused\u001b[31m',
      clear: 'lift the pause',
      command: 'planq resume r',
    },
  ];
  expect(text(renderTaskWhy({ runId: 'r', task: 'a', state: 'parked', reasons, running: null }, 0))).toEqual([
    'a of run r is parked',
    '  gpu: 1 of 1 in use',
    '    → it starts by itself',
    '  run r is paused',
    '    → lift the pause: planq resume r',
  ]);
  expect(text(renderRunWhy({ runId: 'r', state: 'paused', reasons: [] }))).toEqual(['run r is paused']);
  expect(text(renderTaskWhy({ runId: 'r', task: 'a', state: 'ready', reasons: [], running: null }, 0))).toEqual([
    'a of run r is ready',
    '  nothing holds it: a worker takes it next',
  ]);
});

it('a running task shows what it told, and nothing that it did not', () => {
  const running = {
    worker: 'w',
    attempt: 1,
    attempts: 3,
    since,
    progress: 40,
    lastOutput: 'step\t2',
    leaseUntil: null,
    pid: null,
  };
  const why = { runId: 'r', task: 'a', state: 'running' as const, reasons: [], running };
  expect(text(renderTaskWhy(why, STARTED_AT + 5000)).slice(2)).toEqual([
    '  running for  5.0 s',
    '  progress     40 %',
    '  last output  step 2',
  ]);
});

it('the inbox tells what it is, for how long, and how much goes on with it', () => {
  const item: InboxItem = {
    kind: 'approval',
    subject: 'deploy',
    reason: null,
    since,
    unblocks: 1,
    command: 'planq approve r deploy',
    run: 'r',
    runName: 'Ship it',
  };
  const paused: InboxItem = { ...item, kind: 'paused', subject: 'everything', run: null, runName: null, unblocks: 3 };
  expect(
    text(renderInbox([item, { ...paused, reason: 'by ann: lunch', command: 'planq resume --all' }], STARTED_AT)),
  ).toEqual([
    'approval  deploy of run r "Ship it"',
    '  for 0 ms, goes on with it: 1 task',
    '  planq approve r deploy   or: planq reject r deploy',
    'paused  everything: by ann: lunch',
    '  for 0 ms, goes on with it: 3 tasks',
    '  planq resume --all',
  ]);
});

it('limits are a table', () => {
  const holders = [{ run: 'r', task: 'a', amount: 2 }];
  const limits = [
    { name: 'agents', capacity: 10, used: 0, holders: [], waiting: 0, next: [] },
    { name: 'gpu', capacity: 2, used: 2, holders, waiting: 1, next: [{ run: 'r', task: 'b' }] },
  ];
  expect(text(renderLimits(limits))).toEqual([
    'limit   used  of  waiting  held by  next',
    'agents     0  10',
    'gpu        2   2        1  r a (2)  r b',
  ]);
});
