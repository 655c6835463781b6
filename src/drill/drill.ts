/**
 * The drill: breaks what may be broken without harm, on the user's own Redis and machine, and counts what held. Everything it
 * makes is its own and goes again, whatever way it ends.
 */
import { cancelRun } from '../control/cancel-run.ts';
import { describeTarget, type RedisTarget } from '../redis/connection.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Config } from '../runtime/config.ts';
import { errorMessage, PlanqError } from '../runtime/errors.ts';
import { CHECKS, skipReason } from './checks.ts';
import { createFleet, type Fleet, type WorkerCommand } from './fleet.ts';
import { createLab, type Lab } from './lab.ts';
import { CHECK_NAMES, type CheckName } from './names.ts';
import { openSite, type Site } from './site.ts';
import { type CheckReport, type Findings, isHeld } from './verdict.ts';

/** The longest that a check may take; those on a machine that works take seconds. */
const CHECK_MS = 120_000;
const ABANDON_MS = 3000;

export interface DrillOptions {
  /** The user's. */
  config: Config;
  /** The user's Redis, as it is open now. */
  target: RedisTarget;
  /** How to start a worker; its environment is the user's. */
  command: WorkerCommand;
  clock: Clock;
  tier: Lab['tier'];
  /** Default all. */
  only?: readonly CheckName[];
  /** Leave the folder. */
  keep?: boolean;
  /** Aborts when the user has had enough. */
  signal: AbortSignal;
  /** Once, before anything is started. */
  onBegin?(place: DrillPlace): void;
  onCheck?(name: CheckName, about: string): void;
  onReport?(report: CheckReport): void;
  /** Something that the user must remove. */
  onLeft?(sentence: string): void;
}

export interface DrillPlace {
  /** Without its password. */
  redis: string;
  tier: Lab['tier'];
  prefix: string;
  folder: string;
}

export interface DrillReport extends DrillPlace {
  ok: boolean;
  /** Whether the folder is still there. */
  kept: boolean;
  durationMs: number;
  checks: CheckReport[];
}

/** @throws PlanqError `interrupted` when the signal aborted, after all has been removed; what `openSite` throws */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const { config, target, command, clock, tier, keep = false, signal } = options;
  const startedAt = clock.monotonic();
  const site = await openSite({ config, url: target.url, env: command.env, clock });
  const place = { redis: describeTarget(target), tier, prefix: site.prefix, folder: site.folder };
  const fleet = createFleet({ ...command, env: site.env }, site.folder, clock);
  let checks: CheckReport[];
  try {
    options.onBegin?.(place);
    checks = await performAll(options, createLab({ site, fleet, clock, tier, signal }));
  } finally {
    await clearAway(site, fleet, options);
  }
  const ok = checks.every(({ status }) => status !== 'failed');
  return { ok, ...place, kept: keep, durationMs: Math.round(clock.monotonic() - startedAt), checks };
}

async function performAll(options: DrillOptions, lab: Lab): Promise<CheckReport[]> {
  const reports: CheckReport[] = [];
  for (const name of CHECK_NAMES.filter((known) => options.only?.includes(known) ?? true)) {
    options.onCheck?.(name, CHECKS[name].about);
    const report = await perform(name, lab, options.signal);
    if (options.signal.aborted) throw new PlanqError('interrupted', 'interrupted');
    if (report.status === 'failed') await abandon(lab);
    options.onReport?.(report);
    reports.push(report);
  }
  return reports;
}

async function perform(name: CheckName, lab: Lab, signal: AbortSignal): Promise<CheckReport> {
  const check = CHECKS[name];
  const skipped = skipReason(check, lab.tier);
  const startedAt = lab.clock.monotonic();
  const toReport = (status: CheckReport['status'], reason: string | null, found?: Findings): CheckReport => ({
    name,
    status,
    reason,
    counts: found?.counts ?? [],
    facts: found?.facts ?? [],
    durationMs: Math.round(lab.clock.monotonic() - startedAt),
  });
  if (skipped !== null) return toReport('skipped', skipped);
  try {
    const found = await within(lab, signal, () => check.perform(lab));
    return toReport(isHeld(found.counts) ? 'ok' : 'failed', null, found);
  } catch (error) {
    return toReport('failed', errorMessage(error));
  }
}

/** Ends a check also where Redis does not answer any more, and at Ctrl-C at once. */
async function within(lab: Lab, signal: AbortSignal, check: () => Promise<Findings>): Promise<Findings> {
  const begin = async (): Promise<Findings> => {
    await lab.fleet.fill();
    if (signal.aborted) throw new PlanqError('interrupted', 'interrupted');
    return check();
  };
  const timer = new AbortController();
  const late = lab.clock.sleep(CHECK_MS, AbortSignal.any([timer.signal, signal])).then(() => {
    throw new Error(`it did not come to its end in ${CHECK_MS / 1000} s`);
  });
  return Promise.race([begin(), late]).finally(() => timer.abort());
}

/** What a check that failed has left at work must not disturb the next. */
async function abandon({ site: { store }, clock, fleet }: Lab): Promise<void> {
  const cancelAll = async (): Promise<void> => {
    for (const run of await store.redis.smembers(store.keys.live))
      await cancelRun(store, clock, run, ABANDON_MS).catch(() => undefined);
  };
  const timer = new AbortController();
  await Promise.race([cancelAll().catch(() => undefined), clock.sleep(2 * ABANDON_MS, timer.signal)]);
  timer.abort();
  await fleet.stop();
}

async function clearAway(site: Site, fleet: Fleet, { keep = false, onLeft }: DrillOptions): Promise<void> {
  await fleet.stop();
  for (const sentence of await site.clear(keep)) onLeft?.(sentence);
}
