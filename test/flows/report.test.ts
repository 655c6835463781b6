import { expect, test } from 'vitest';
import { completionLine, toMarkdown, toReport } from '../../src/flows/report.ts';
import { type RunView, toRunView } from '../../src/flows/run-view.ts';

const START = Date.UTC(2026, 0, 1, 12);

function view(): RunView {
  const def = (id: string, needs: string[] = []) =>
    JSON.stringify({
      id,
      title: id,
      stage: 1,
      phase: 'planning',
      master: 'development',
      agent: 'noop',
      needs: needs.map((task) => ({ task, when: 'success' })),
    });
  const meta = {
    name: 'Plan',
    tasks: '3',
    state: 'blocked',
    createdAt: String(START),
    startedAt: String(START),
    'n:completed': '1',
    'n:failed': '1',
    'n:blocked': '1',
  };
  const records = {
    0: JSON.stringify({ s: 'completed', a: 1, st: START, f: START + 1500, x: 0 }),
    1: JSON.stringify({ s: 'failed', a: 3, st: START + 2000, f: START + 5000, x: 1, r: 'Exit code 1 | <b>' }),
    2: JSON.stringify({ s: 'blocked', b: [1] }),
  };
  return toRunView('r1', meta, [def('a'), def('b'), def('c', ['a', 'b'])], records);
}

test('the view has the agreed words, ISO times and ids instead of numbers', () => {
  expect(view().tasks[1]).toEqual({
    id: 'b',
    title: 'b',
    state: 'failed',
    stage: 1,
    phase: 'planning',
    master: 'development',
    attempt: 3,
    startedAt: '2026-01-01T12:00:02.000Z',
    finishedAt: '2026-01-01T12:00:05.000Z',
    durationMs: 3000,
    agent: 'noop',
    exitCode: 1,
    reason: 'Exit code 1 | <b>',
    blockedBy: [],
    needs: [],
  });
  expect(view().tasks[2]).toMatchObject({
    state: 'blocked',
    blockedBy: ['b'],
    needs: ['a', 'b'],
    startedAt: null,
    durationMs: null,
    exitCode: null,
  });
});

test('the report tells how long, what was retried, what failed and what that blocks', () => {
  const report = toReport(view());
  expect(report).toMatchObject({
    durationMs: 5000,
    workMs: 4500,
    retried: [{ id: 'b', attempts: 3 }],
    failed: [{ id: 'b', reason: 'Exit code 1 | <b>', attempt: 3, blocks: ['c'] }],
    slowest: [
      { id: 'b', durationMs: 3000 },
      { id: 'a', durationMs: 1500 },
    ],
  });
  expect(completionLine(report)).toBe('1 of 3 tasks completed, 1 failed, 1 blocked');
});

test('a reason cannot break the Markdown table', () => {
  const row = toMarkdown(toReport(view()))
    .split('\n')
    .find((line) => line.startsWith('| 1 | `b`'));
  expect(row).toBe('| 1 | `b` | failed | 3 | 3.0 s | Exit code 1 \\| &lt;b> |');
});
