import { describe, expect, it } from 'vitest';
import { judgeDeploy } from '../../src/drill/checks/deploy.ts';
import { judgeFail } from '../../src/drill/checks/fail.ts';
import { judgeFlood } from '../../src/drill/checks/flood.ts';
import { judgeHang } from '../../src/drill/checks/hang.ts';
import { judgeKill } from '../../src/drill/checks/kill.ts';
import { judgeLimits } from '../../src/drill/checks/limits.ts';
import { judgeRedo } from '../../src/drill/checks/redo.ts';
import { judgeStop } from '../../src/drill/checks/stop.ts';
import { CHECKS, skipReason } from '../../src/drill/checks.ts';
import type { Entry } from '../../src/drill/journal.ts';
import { CHECK_NAMES } from '../../src/drill/names.ts';
import { type Count, count, countOther, isHeld } from '../../src/drill/verdict.ts';
import type { Event } from '../../src/events/event.ts';
import type { RunView, TaskRecord } from '../../src/flows/run-view.ts';

/** One agent's life of 10 ms that began at `at`. */
function life(task: string, at: number, more: { takes?: number; code?: number; killed?: boolean } = {}): Entry[] {
  const base = { run: 'r', task, attempt: 1, token: `${task}-${at}`, takes: more.takes ?? 0 };
  const last: Entry = more.killed
    ? { ...base, event: 'tick', at: at + 10 }
    : { ...base, event: 'end', at: at + 10, code: more.code ?? 0 };
  return [{ ...base, event: 'start', at }, last];
}

/** As many lives of a task, one after the other. */
function lives(task: string, times: number): Entry[] {
  return Array.from({ length: times }, (_, at) => life(task, at * 100)).flat();
}

function view(state: string, tasks: Record<string, string>, reason = ''): RunView {
  const completed = Object.values(tasks).filter((word) => word === 'completed').length;
  return {
    run: { state, counts: { total: Object.keys(tasks).length, completed } },
    tasks: Object.entries(tasks).map(([id, word]) => ({ id, state: word, reason })),
  } as unknown as RunView;
}

const DONE: TaskRecord = { s: 'completed', a: 1, u: 1, k: 'two', w: 'b' };

function failures(counts: readonly Count[]): string[] {
  return counts.filter((one) => !isHeld([one])).map(({ name }) => name);
}

describe('a verdict', () => {
  it('holds when nothing has passed its bar', () => {
    expect(isHeld([count('a', 0), count('b', 5, 5)])).toBe(true);
  });

  it('does not hold when one has, could not be counted, or nothing was counted', () => {
    expect(isHeld([count('a', 0), count('b', 6, 5)])).toBe(false);
    expect(isHeld([count('a', Number.NaN, 5)])).toBe(false);
    expect(isHeld([])).toBe(false);
  });

  it('counts every value that is not the expected one, missing ones too', () => {
    expect(countOther({ a: 1, b: 2, c: 3 }, (name) => ({ a: 1, b: 3 })[name])).toBe(2);
  });
});

describe('fail', () => {
  const states = { flaky: 'completed', after: 'completed', doomed: 'failed', blocked: 'blocked', further: 'blocked' };
  const good = view('blocked', { ...states, bystander: 'completed' });
  const entries = [...lives('flaky', 3), ...lives('after', 1), ...lives('doomed', 3), ...lives('bystander', 1)];

  it('holds with three attempts each', () => {
    expect(failures(judgeFail(good, entries))).toEqual([]);
  });

  it('sees an attempt too many, a blocked task that ran, and a run that did not block', () => {
    expect(failures(judgeFail(good, [...entries, ...life('doomed', 900)]))).toEqual(['attempts otherwise']);
    expect(failures(judgeFail(good, [...entries, ...life('blocked', 900)]))).toEqual(['attempts otherwise']);
    const other = view('completed', { ...states, bystander: 'blocked' });
    expect(failures(judgeFail(other, entries))).toEqual(['states otherwise', 'run not blocked']);
  });
});

describe('kill', () => {
  const entries = [...life('long', 0, { killed: true }), ...life('long', 2000)];
  const good = { againMs: 2000, survivors: 0, left: 0, entries, record: DONE };

  it('holds when the task goes on in time and alone', () => {
    expect(failures(judgeKill(good))).toEqual([]);
  });

  it.each([
    ['again after', { againMs: 5001 }],
    ['survivors', { survivors: 1 }],
    ['survivors', { left: 1 }],
    ['two agents at once', { entries: [...life('long', 0), ...life('long', 5)] }],
    ['attempts used', { record: { ...DONE, a: 2, u: 2 } }],
    ['not completed', { record: { ...DONE, s: 'failed' as const } }],
  ])('sees: %s', (name, broken) => {
    expect(failures(judgeKill({ ...good, ...broken }))).toEqual([name]);
  });
});

describe('stop', () => {
  const running: TaskRecord = { ...DONE, s: 'running' };
  const told = [{ type: 'task-superseded' }, { type: 'task-completed' }] as Event[];
  const good = {
    records: [running, running, DONE, DONE] as const,
    wasRefused: true,
    entries: [...life('long', 0, { killed: true }), ...life('long', 3000)],
    events: told,
  };

  it('holds when the late outcomes change nothing and are told', () => {
    expect(failures(judgeStop(good))).toEqual([]);
    const heard = { ...running, p: 50 };
    expect(failures(judgeStop({ ...good, records: [running, heard, DONE, DONE] }))).toEqual([]);
  });

  it.each([
    ['two agents at once', { entries: [...life('long', 0, { killed: true }), ...life('long', 5)] }],
    ['changed by a late outcome', { records: [running, { ...running, k: 'one' }, DONE, DONE] as const }],
    ['changed by a late outcome', { records: [running, running, DONE, { ...DONE, r: 'late' }] as const }],
    ['late outcomes not told', { wasRefused: false }],
    ['late outcomes not told', { events: told.slice(1) }],
    ['recorded twice', { events: [...told, { type: 'task-completed' } as Event] }],
    ['recorded twice', { entries: [...life('long', 0), ...life('long', 3000)] }],
  ])('sees: %s', (name, broken) => {
    expect(failures(judgeStop({ ...good, ...broken }))).toEqual([name]);
  });
});

describe('hang', () => {
  const good = view('blocked', { hangs: 'completed', slow: 'failed' }, 'Timeout');
  const entries = [...lives('hangs', 2), ...lives('slow', 1)];

  it('holds when both were stopped with all that they had started', () => {
    expect(failures(judgeHang(good, entries, 0))).toEqual([]);
  });

  it('sees survivors, an agent that was let hang, and a failure for another reason', () => {
    expect(failures(judgeHang(good, entries, 1))).toEqual(['survivors']);
    expect(failures(judgeHang(good, entries.slice(2), 0))).toEqual(['attempts otherwise']);
    const other = view('blocked', { hangs: 'running', slow: 'failed' }, 'Exit code 1');
    expect(failures(judgeHang(other, entries, 0))).toEqual(['states otherwise', 'failed for another reason']);
  });
});

describe('flood', () => {
  const last = 'planq-drill-x is over';
  const good = { logBytes: 90e6, lastLogged: last, lastKept: last, growthBytes: 30e6, isCompleted: true };

  it('holds within the limits, also where memory cannot be measured', () => {
    expect(failures(judgeFlood(good))).toEqual([]);
    expect(failures(judgeFlood({ ...good, growthBytes: null }))).toEqual([]);
  });

  it.each([
    ['log', { logBytes: 200e6 }],
    ['worker grew by', { growthBytes: 101e6 }],
    ['worker grew by', { growthBytes: Number.NaN }],
    ['last line lost', { lastKept: 'xxxx' }],
    ['not completed', { isCompleted: false }],
  ])('sees: %s', (name, broken) => {
    expect(failures(judgeFlood({ ...good, ...broken }))).toEqual([name]);
  });
});

describe('limits', () => {
  const ids = Array.from({ length: 12 }, (_, at) => `t${at}`);
  const good = {
    view: view('completed', Object.fromEntries(ids.map((id) => [id, 'completed']))),
    entries: ids.flatMap((id, at) => life(id, Math.floor(at / 2) * 20, { takes: 1 })),
    recorded: 2,
    left: 0,
  };

  it('holds with two at once', () => {
    expect(failures(judgeLimits(good))).toEqual([]);
  });

  it.each([
    ['most at once', { entries: ids.slice(0, 3).flatMap((id) => life(id, 0, { takes: 1 })) }],
    ['most recorded', { recorded: 3 }],
    ['left in use', { left: 1 }],
    ['not completed', { view: view('blocked', { t0: 'failed' }) }],
  ])('sees: %s', (name, broken) => {
    expect(failures(judgeLimits({ ...good, ...broken }))).toEqual([name]);
  });
});

describe('deploy', () => {
  const entries = [...life('t0', 0, { killed: true }), ...life('t0', 500), ...life('t1', 0)];
  const good = { exit: 0 as number | string, exitMs: 400, againMs: 800, handedBack: 1, records: [DONE, DONE], entries };

  it('holds when it cost nothing', () => {
    expect(failures(judgeDeploy(good))).toEqual([]);
  });

  it.each([
    ['attempts used', { records: [DONE, { ...DONE, a: 2 }] }],
    ['counted as crashes', { records: [DONE, { ...DONE, c: 1 }] }],
    ['exit code', { exit: 'SIGKILL' }],
    ['exit after', { exitMs: 6000 }],
    ['again after', { againMs: 20_000 }],
    ['agents otherwise', { entries: entries.slice(0, 4) }],
    ['not completed', { records: [DONE, { ...DONE, s: 'ready' as const }] }],
  ])('sees: %s', (name, broken) => {
    expect(failures(judgeDeploy({ ...good, ...broken }))).toEqual([name]);
  });
});

describe('redo', () => {
  const good = {
    first: view('blocked', { done: 'completed', next: 'completed', broken: 'failed', after: 'blocked' }),
    view: view('completed', { done: 'completed', next: 'completed', broken: 'completed', after: 'completed' }),
    retried: ['broken'],
    submitted: [
      { runId: 'r', created: false },
      { runId: 'r', created: true },
    ],
    entries: [...lives('done', 1), ...lives('next', 1), ...lives('broken', 2), ...lives('after', 1)],
  };

  it('holds when only what failed ran again, in one run', () => {
    expect(failures(judgeRedo(good))).toEqual([]);
  });

  it.each([
    ['retried otherwise', { retried: ['broken', 'next'] }],
    ['agents otherwise', { entries: [...good.entries, ...life('done', 900)] }],
    ['runs of one key', { submitted: [...good.submitted, { runId: 's', created: false }] }],
    ['made twice', { submitted: [...good.submitted, { runId: 'r', created: true }] }],
    ['not completed', { view: view('blocked', { done: 'completed', next: 'failed' }) }],
  ])('sees: %s', (name, broken) => {
    expect(failures(judgeRedo({ ...good, ...broken }))).toEqual([name]);
  });
});

describe('in tier C', () => {
  it('what needs /proc is skipped and says why; the rest is tried', () => {
    const skipped = CHECK_NAMES.filter((name) => skipReason(CHECKS[name], 'C') !== null);
    expect(skipped).toEqual(['kill', 'stop', 'hang']);
    expect(skipReason(CHECKS.kill, 'C')).toContain('tier C');
    expect(CHECK_NAMES.filter((name) => skipReason(CHECKS[name], 'B') !== null)).toEqual([]);
  });
});
