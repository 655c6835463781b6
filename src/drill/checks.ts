/** The checks at a glance: what is broken on purpose, and what a machine must have for it to be promised at all. */
import { checkDeploy } from './checks/deploy.ts';
import { checkFail } from './checks/fail.ts';
import { checkFlood } from './checks/flood.ts';
import { checkHang } from './checks/hang.ts';
import { checkKill } from './checks/kill.ts';
import { checkLimits } from './checks/limits.ts';
import { checkRedo } from './checks/redo.ts';
import { checkStop } from './checks/stop.ts';
import type { Lab } from './lab.ts';
import type { CheckName } from './names.ts';
import type { Findings } from './verdict.ts';

export interface Check {
  /** For whoever watches. */
  about: string;
  /** It counts processes, or what only /proc makes sure of: without it planq promises nothing that could be tried. */
  needsProc: boolean;
  perform(lab: Lab): Promise<Findings>;
}

export const CHECKS: Readonly<Record<CheckName, Check>> = {
  fail: { about: 'tasks that fail, twice and for good', needsProc: false, perform: checkFail },
  kill: { about: 'a worker is killed while its agent works', needsProc: true, perform: checkKill },
  stop: { about: 'a worker is stopped for longer than its lease, and goes on', needsProc: true, perform: checkStop },
  hang: { about: 'an agent hangs, another takes too long', needsProc: true, perform: checkHang },
  flood: { about: 'an agent writes 200 MB', needsProc: false, perform: checkFlood },
  limits: { about: 'twelve tasks want one of two', needsProc: false, perform: checkLimits },
  deploy: { about: 'a worker is told to end while its agents work', needsProc: false, perform: checkDeploy },
  redo: { about: 'a run is retried, and submitted again under its key', needsProc: false, perform: checkRedo },
};

/** Why a check says nothing on such a machine; null when it can be tried. */
export function skipReason({ needsProc }: Check, tier: Lab['tier']): string | null {
  return needsProc && tier === 'C'
    ? 'tier C: without /proc only the process group is known, and this is not promised'
    : null;
}
