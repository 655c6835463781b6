/**
 * Keeps an attempt within its share of the machine. Two ways with one face: a cgroup, where the system has given us one
 * (`cgroup.ts`: exact, by the kernel), else measuring (`measured.ts`: late by a look, and memory only).
 */
import type { Clock } from '../runtime/clock.ts';
import { type CgroupFiles, findCgroup, openCgroup, systemFiles } from './cgroup.ts';
import type { Limit, ResourceLimits } from './limit.ts';
import { openMeasured } from './measured.ts';

export interface Limiter {
  kind: 'cgroup' | 'measured';
  /** @param warn told what a person should know of the attempt; a few words */
  open(limits: ResourceLimits, token: string, warn: (message: string) => void): Promise<Limit>;
}

export interface LimiterOptions {
  clock: Clock;
  /** For tests: another tree of files in the place of the system's. */
  files?: CgroupFiles;
}

/** The best way that this machine has. Changes nothing before the first attempt is opened. */
export function createLimiter({ clock, files = systemFiles }: LimiterOptions): Limiter {
  const found = findCgroup(files);
  const measured: Limiter['open'] = async (limits, _token, warn) => openMeasured({ limits, clock, warn });
  if (!found.ok) return { kind: 'measured', open: measured };
  return {
    kind: 'cgroup',
    open: async (limits, token, warn) => {
      const opened = openCgroup({ base: found.value, limits, token, clock, files });
      if (opened.ok) return opened.value;
      warn(`limits are measured only, the cgroup refuses: ${opened.error}`);
      return measured(limits, token, warn);
    },
  };
}

/** In words for people, one a line: what is exact on this machine and what is not. */
export function describeLimits(files: CgroupFiles = systemFiles): string[] {
  const found = findCgroup(files);
  if (found.ok) {
    return [
      `memory: exact, by the kernel (cgroup ${found.value}); an attempt above its limit is killed at once`,
      'processors: exact, by the kernel; an attempt gets its share and no more',
    ];
  }
  return [
    `memory: best effort (${found.error}); measured every 0.25 to 2 s, so an attempt can be above its limit for that long before it is stopped`,
    'processors: measured, not limited; agents run with nice 5, and a warning tells of one that uses more than its share',
    'memory of the machine running out: the kernel takes agents before the worker (oom_score_adj 900)',
  ];
}
