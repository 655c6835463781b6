import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CgroupFiles, findCgroup, systemFiles } from '../../src/agents/cgroup.ts';
import type { Limit } from '../../src/agents/limit.ts';
import { createLimiter, describeLimits } from '../../src/agents/limiter.ts';
import { openMeasured } from '../../src/agents/measured.ts';
import type { ProcessInfo } from '../../src/agents/proc.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { makeAttempt } from '../support/agent.ts';
import { availableIsolations } from '../support/isolations.ts';

const LIMITS = { cpus: 2, memoryBytes: 1_000_000_000 };
const TOKEN = 'abcdefghijklmnopqrstuvwx';

/** Whoever sleeps on it moves it. */
function createJumpingClock(): Clock {
  let now = 0;
  const sleep = async (ms: number): Promise<void> => {
    now += ms;
  };
  return { now: () => now, monotonic: () => now, sleep };
}

interface FakeTree {
  files: CgroupFiles;
  /** Reads a file below the unit's cgroup. */
  text(name: string): string;
  put(name: string, text: string): void;
  has(name: string): boolean;
}

/** A folder that looks as a unit with `Delegate=yes` and `DelegateSubgroup=worker` does. */
function fakeTree(parts: { own?: string; controllers?: string; handed?: string; isRoot?: boolean } = {}): FakeTree {
  const { own = '/a.slice/planq.service/worker', controllers = 'cpu memory pids', handed = '', isRoot = false } = parts;
  const root = mkdtempSync(path.join(tmpdir(), 'planq-cgroup-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const base = path.join(root, path.dirname(own));
  mkdirSync(base, { recursive: true });
  const put = (name: string, text: string): void => writeFileSync(path.join(base, name), text);
  writeFileSync(path.join(root, 'cgroup.controllers'), 'cpu memory');
  put('cgroup.controllers', controllers);
  put('cgroup.subtree_control', handed);
  put('cgroup.procs', '');
  if (!isRoot) put('cgroup.type', 'domain');
  const read = (file: string): string =>
    file === '/proc/self/cgroup' ? `1:name=x:/y\n0::${own}\n` : systemFiles.read(file);
  const removeFolder = (folder: string): void => rmSync(folder, { recursive: true });
  return {
    files: { ...systemFiles, root, read, removeFolder },
    text: (name) => readFileSync(path.join(base, name), 'utf8'),
    put,
    has: (name) => existsSync(path.join(base, name)),
  };
}

async function openIn(tree: FakeTree, warnings: string[] = []): Promise<Limit> {
  return createLimiter({ clock: systemClock, files: tree.files }).open(LIMITS, TOKEN, (message) =>
    warnings.push(message),
  );
}

describe('with a delegated cgroup', () => {
  const folder = 'planq-abcdefghijklmnop';

  it('an attempt gets its own, with its memory and its processors', async () => {
    const tree = fakeTree();
    const limit = await openIn(tree);
    expect(tree.text('cgroup.subtree_control')).toBe('+memory +cpu');
    expect(tree.text(`${folder}/memory.max`)).toBe('1000000000');
    expect(tree.text(`${folder}/memory.swap.max`)).toBe('0');
    expect(tree.text(`${folder}/memory.oom.group`)).toBe('1');
    expect(tree.text(`${folder}/cpu.max`)).toBe('200000 100000');
    limit.admit(4711);
    expect(tree.text(`${folder}/cgroup.procs`)).toBe('4711');
    await limit.close();
    expect(tree.has(folder)).toBe(false);
  });

  it('what is handed down already is not asked for again', async () => {
    const tree = fakeTree({ handed: 'cpu memory' });
    await openIn(tree);
    expect(tree.text('cgroup.subtree_control')).toBe('cpu memory');
  });

  it('a kill by the kernel is told as the memory limit, and nothing else is', async () => {
    const tree = fakeTree();
    const limit = await openIn(tree);
    tree.put(`${folder}/memory.events`, 'low 0\nmax 5\noom 0\noom_kill 0\n');
    expect(await limit.verdict()).toBeUndefined();
    tree.put(`${folder}/memory.events`, 'low 0\nmax 5\noom 1\noom_kill 3\noom_group_kill 1\n');
    expect(await limit.verdict()).toBe('Memory limit of 1 GB exceeded');
  });

  it('whoever is still in it at the end is killed, and its removal is tried until it succeeds', async () => {
    const tree = fakeTree();
    let tries = 0;
    const removeFolder = (name: string): void => {
      if (++tries < 3) throw new Error('EBUSY');
      tree.files.removeFolder(name);
    };
    const files = { ...tree.files, removeFolder };
    const limit = await createLimiter({ clock: createJumpingClock(), files }).open(LIMITS, TOKEN, () => undefined);
    tree.put(`${folder}/cgroup.procs`, '12\n13\n');
    let killed = '';
    files.write = (file, text) => {
      killed = `${path.basename(file)} ${text}`;
    };
    await limit.close();
    expect(killed).toBe('cgroup.kill 1');
    expect(tries).toBe(3);
    expect(tree.has(folder)).toBe(false);
  });

  it('that refuses after all, limits are measured and a warning says why', async () => {
    const tree = fakeTree();
    tree.files.makeFolder = () => {
      throw new Error('EBUSY: resource busy');
    };
    const warnings: string[] = [];
    const limit = await openIn(tree, warnings);
    expect(warnings).toEqual(['limits are measured only, the cgroup refuses: EBUSY: resource busy']);
    expect(limit.look(() => [])).toBeUndefined();
  });

  it('is said to be exact', () => {
    expect(describeLimits(fakeTree().files).join('\n')).toMatch(/^memory: exact, .*\nprocessors: exact, /);
  });
});

describe('no cgroup is taken', () => {
  const nowhere = (): CgroupFiles => ({ ...systemFiles, read: () => '' });
  it.each([
    ['without version 2', nowhere, 'no cgroup version 2'],
    ['when we are at the root', () => fakeTree({ own: '/' }).files, 'no cgroup of our own'],
    ["that is systemd's", () => fakeTree({ own: '/system.slice/planq.service' }).files, 'no delegated cgroup'],
    ["that is the whole system's", () => fakeTree({ own: '/worker', isRoot: true }).files, 'no delegated cgroup'],
    [
      'that lacks a controller',
      () => fakeTree({ controllers: 'pids cpu' }).files,
      'the delegated cgroup lacks memory or cpu',
    ],
    ['that we may not change', () => ({ ...fakeTree().files, isWritable: () => false }), 'no delegated cgroup'],
  ])('%s', (_when, files, reason) => {
    expect(findCgroup(files())).toEqual({ ok: false, error: reason });
    expect(createLimiter({ clock: systemClock, files: files() }).kind).toBe('measured');
    expect(describeLimits(files()).join('\n')).toContain(`best effort (${reason})`);
  });
});

describe('measuring', () => {
  const member = (pid: number, cpuTicks = 0): ProcessInfo => ({
    ...{ pid, cpuTicks, startTime: '1', ppid: 1, pgid: pid, session: pid, state: 'S', threads: 1 },
  });

  /** Looks every 50 ms of a clock of its own; tells when memory was asked for. */
  async function play(bytesAt: (ms: number) => number, forMs: number, ticksAt: (ms: number) => number = () => 0) {
    const clock = createJumpingClock();
    const begin = clock.monotonic();
    const now = (): number => clock.monotonic() - begin;
    const looks: number[] = [];
    const warnings: string[] = [];
    const limit = openMeasured({
      limits: LIMITS,
      clock,
      warn: (message) => warnings.push(message),
      bytesOf: (pid) => bytesAt(now()) / (pid === 1 ? 4 : 4 / 3),
    });
    let reason: string | undefined;
    while (reason === undefined && now() < forMs) {
      reason = limit.look(() => {
        looks.push(now());
        return [member(1, ticksAt(now())), member(2)];
      });
      await clock.sleep(50);
    }
    return { reason, looks, warnings };
  }

  it('adds up the whole tree, and says by how much it is over', async () => {
    const { reason } = await play(() => 1_140_000_000, 1000);
    expect(reason).toBe('Memory limit of 1 GB exceeded (1.1 GB)');
  });

  it('looks every 2 s while all is calm, every 250 ms while memory grows or half of it is used', async () => {
    expect((await play(() => 100_000_000, 4500)).looks).toEqual([0, 250, 2250, 4250]);
    expect((await play((ms) => 2e6 + ms * 100_000, 1000)).looks).toEqual([0, 250, 500, 750]);
    expect((await play(() => 600_000_000, 1000)).looks).toEqual([0, 250, 500, 750]);
  });

  it('warns once of an attempt that uses more than its processors for a minute, and stops nothing', async () => {
    const busy = await play(
      () => 0,
      200_000,
      (ms) => (ms / 10) * 3,
    );
    expect(busy.warnings).toEqual(['uses 3.0 processors, more than its 2; not limited on this machine']);
    expect(busy.reason).toBeUndefined();
    expect(
      (
        await play(
          () => 0,
          200_000,
          (ms) => (ms / 10) * 1.9,
        )
      ).warnings,
    ).toEqual([]);
  });
});

describe.each(await availableIsolations())('an agent that takes too much, isolation %s,', (isolation) => {
  // No more than 450 MB, however late the look is: the machine has others.
  const hog = 'const all = []; setInterval(() => all.length < 30 && all.push(Buffer.alloc(15e6, 1)), 20)';

  it('is stopped with its whole tree, and may be tried again', async () => {
    // A child of a child in another session: what counts is the tree.
    const run = `setsid "${process.execPath}" -e '${hog}' & wait`;
    const limits = { cpus: 1, memoryBytes: 300_000_000 };
    const attempt = makeAttempt({ run }, { isolation, limits, graceMs: 60_000 });
    expect(await attempt.perform()).toEqual({
      kind: 'retryable',
      reason: expect.stringMatching(/^Memory limit of 300 MB exceeded \((3|4|5|6)\d\d(\.\d)? MB\)$/),
    });
    expect(attempt.processes()).toEqual([]);
  });

  it('gives way to others: it and its children are nice and die first', async () => {
    // The worker does so right after the start, and last of all with the niceness; what starts after that inherits it.
    const wait = 'for at in $(seq 200); do [ "$(ps -o ni= -p $$ | tr -d " ")" = 5 ] && break; sleep 0.02; done';
    const run = `${wait}; cat /proc/self/oom_score_adj; ps -o ni= -p $$ | tr -d " "`;
    const attempt = makeAttempt({ run }, { isolation, limits: LIMITS });
    expect(await attempt.perform()).toMatchObject({ kind: 'completed' });
    expect(attempt.log()).toBe('900\n5\n');
  });
});
