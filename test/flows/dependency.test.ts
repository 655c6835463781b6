import { describe, expect, test } from 'vitest';
import { type DependencyFacts, judgeDependency, type Verdict } from '../../src/flows/dependency.ts';

const facts: DependencyFacts = { job: 'failed', isOurs: true, task: 'failed', isTolerated: false, run: 'running' };

describe('what a parent waits for', () => {
  test.each<[string, Partial<DependencyFacts>, Verdict]>([
    ['the failed job of a failed task, which a retry may bring back', {}, 'wait'],
    ['the failed job of a failed task, of a run that has ended', { run: 'failed' }, 'release'],
    ['the failed job of a failure that is tolerated', { isTolerated: true }, 'release'],
    ['the failed job of a task that was skipped', { task: 'skipped' }, 'broken'],
    ['the failed job of a task that is ready again', { task: 'ready' }, 'wait'],
    ['a job at work', { job: 'active', run: 'completed', task: 'completed' }, 'wait'],
    ['a job that is gone, of a task that has completed', { job: 'absent', task: 'completed' }, 'broken'],
    ['a job that is gone, of a task that runs', { job: 'absent', task: 'running' }, 'wait'],
    ['a job that is gone, of a task that is parked', { job: 'absent', task: 'parked' }, 'wait'],
    ['a completed job', { job: 'completed', task: 'completed' }, 'broken'],
    ['a job that waits', { job: 'prioritized', task: 'completed' }, 'wait'],
    ['a job that sleeps though its run has ended', { job: 'delayed', task: 'cancelled', run: 'cancelled' }, 'release'],
    ['a stage job that waits', { job: 'waiting-children', task: null, run: 'completed' }, 'wait'],
    ['a stage job that is gone', { job: 'absent', task: null }, 'broken'],
    ['a foreign job of a run that goes on', { job: 'wait', isOurs: false, task: null }, 'wait'],
    ['a foreign job of a run that has ended', { job: 'wait', isOurs: false, task: null, run: 'completed' }, 'broken'],
  ])('%s', (_, parts, verdict) => {
    expect(judgeDependency({ ...facts, ...parts })).toBe(verdict);
  });
});
