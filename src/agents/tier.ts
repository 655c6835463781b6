/**
 * How surely a worker holds its agents on this machine. Tried, not guessed: a namespace counts when a program was run in one.
 *
 * | tier | an agent's processes are found by | what can escape |
 * |---|---|---|
 * | A | their PID namespace | nothing; and the agent cannot signal the worker |
 * | B | group, session, descent, marker, log | a daemon that left its parents and emptied its environment and outputs |
 * | C | group (no /proc) | whatever leaves the group |
 */
import { spawn } from 'node:child_process';
import { type Config, ISOLATION_WORDS } from '../runtime/config.ts';
import { PlanqError } from '../runtime/errors.ts';
import { type Isolation, type Namespace, openNamespace, TOOL_PATH } from './namespace.ts';
import { HAS_PROC } from './proc.ts';

export interface TierReport {
  tier: 'A' | 'B' | 'C';
  /** What holds the agents, in words. */
  how: string;
  /** Why this tier and no better one. */
  reason: string;
  isolation: Isolation;
}

/** A trial that takes longer than this has failed. */
const TRIAL_MS = 5000;

/** An exit code that only the trial's own program gives. */
const TRIAL_CODE = 42;

/** Finds the best tier by trying. Takes about 10 ms. */
export async function detectTier(toolPath = TOOL_PATH): Promise<TierReport> {
  if (!HAS_PROC) {
    const reason = 'this system has no /proc';
    return { tier: 'C', how: 'process group', reason, isolation: 'none' };
  }
  const direct =
    process.geteuid?.() === 0 ? await tryIsolation('namespace', toolPath) : 'only root can make one directly';
  if (direct === undefined) return tierA('namespace');
  const byUser = await tryIsolation('user-namespace', toolPath);
  if (byUser === undefined) return tierA('user-namespace');
  return tierB(`no PID namespace can be made here: ${byUser}`);
}

/**
 * The tier for a worker with this setting.
 * @throws PlanqError `no_isolation` when a namespace is demanded and cannot be had
 */
export async function chooseTier(wanted: Config['isolation'], detect = detectTier): Promise<TierReport> {
  const found = await detect();
  if (wanted === 'none' && found.tier === 'A') return tierB('"isolation" is "none"');
  if (wanted !== 'namespace' || found.tier === 'A') return found;
  throw new PlanqError('no_isolation', `cannot isolate agents: ${found.reason}`, {
    hint: `allow unprivileged user namespaces, or set "isolation" to ${ISOLATION_WORDS.filter((word) => word !== wanted).join(' or ')}`,
  });
}

function tierA(isolation: Exclude<Isolation, 'none'>): TierReport {
  const how = isolation === 'namespace' ? 'PID namespace' : 'PID namespace in a user namespace';
  return { tier: 'A', how, reason: 'a program was run in one', isolation };
}

function tierB(reason: string): TierReport {
  return { tier: 'B', how: 'guardian, process group, descent and marker', reason, isolation: 'none' };
}

/** @returns why it cannot be had; undefined when it can */
async function tryIsolation(isolation: Exclude<Isolation, 'none'>, toolPath: string): Promise<string | undefined> {
  const opened = await openNamespace(isolation, {}, toolPath);
  if (!opened.ok) return opened.error;
  try {
    return await runIn(opened.value);
  } finally {
    await opened.value.close();
  }
}

function runIn(namespace: Namespace): Promise<string | undefined> {
  const { file, args } = namespace.enter('/bin/sh', ['-c', `test $$ -lt 100 && exit ${TRIAL_CODE}`], '/');
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {},
    timeout: TRIAL_MS,
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) =>
      resolve(code === TRIAL_CODE ? undefined : complaint.trim().split('\n')[0] || `the trial ended with ${code}`),
    );
  });
}
