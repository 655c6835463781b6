import { describe, expect, it } from 'vitest';
import { renderReport } from '../../../src/cli/render/report.ts';
import { renderPhases, renderStatus, toPercent } from '../../../src/cli/render/status.ts';
import { type Line, plain, renderLine } from '../../../src/cli/terminal/style.ts';
import { toReport } from '../../../src/flows/report.ts';
import { makeRunView, STARTED_AT } from '../../support/run-view.ts';

const toText = (lines: readonly Line[]): string[] => lines.map((line) => renderLine(line, plain));

describe('the report of a blocked run', () => {
  const view = makeRunView(
    [
      {
        id: 'a',
        state: 'completed',
        attempt: 1,
        durationMs: 1000,
        finishedAt: new Date(STARTED_AT + 1000).toISOString(),
      },
      { id: 'b', state: 'failed', attempt: 3, durationMs: 20, reason: 'Exit code 7\nsecond line' },
      { id: 'c', state: 'blocked', blockedBy: ['b'] },
      { id: 'd', state: 'blocked', blockedBy: ['b'] },
    ],
    'blocked',
  );

  it('says what failed and why, what that blocks, and what to do next', () => {
    const lines = toText(renderReport(toReport(view)));
    expect(lines).toEqual([
      'Build it  run abcdefghjk',
      'blocked: 1 of 4 tasks completed, 1 failed, 2 blocked in 1.0 s (1.0 s of work)',
      '  failed b after 3 attempts: Exit code 7 second line',
      '    blocks 2 tasks: c, d',
      '  retried  b (3 attempts)',
      '  slowest  a 1.0 s, b 20 ms',
      'What to do next:',
      '  planq logs abcdefghjk b   see why it failed',
      '  planq retry abcdefghjk   run what failed again and go on',
    ]);
  });

  it('has nothing to do next when the run is completed', () => {
    const done = makeRunView([{ id: 'a', state: 'completed' }], 'completed');
    expect(toText(renderReport(toReport(done))).join('\n')).not.toContain('next');
  });
});

describe('the status', () => {
  it('counts by phase, nothing of nothing being 0 %', () => {
    const tasks = makeRunView([
      { id: 'a', phase: 'analysis', state: 'completed' },
      { id: 'b', phase: 'analysis', state: 'running' },
      { id: 'c', phase: 'analysis', state: 'blocked' },
      { id: 'd', phase: 'validation' },
    ]).tasks;
    expect(toText(renderPhases(tasks))).toEqual([
      'Phase       Total  Completed  Running  Blocked',
      'analysis        3   1 (33 %)        1        1',
      'validation      1    0 (0 %)        0        0',
    ]);
    expect([toPercent(0, 0), toPercent(199, 200), toPercent(3, 3)]).toEqual(['0 %', '99 %', '100 %']);
  });

  it('lists tasks by stage, with no control character of theirs', () => {
    const view = makeRunView([
      { id: 'late', stage: 2 },
      { id: 'early', state: 'failed', reason: 'a\u001b[2Jb' },
    ]);
    const lines = toText(renderStatus(view, STARTED_AT));
    expect(lines.findIndex((line) => line.includes('early'))).toBeLessThan(
      lines.findIndex((line) => line.includes('late')),
    );
    expect(lines.join('\n')).not.toContain('\u001b');
    expect(lines.join('\n')).toContain('ab');
  });
});
