/**
 * Every key name outside the scripts. One hash tag for all of planq's keys and BullMQ's, so that scripts and flows that
 * touch several of them work on a Redis Cluster too.
 */
export interface Keys {
  /** `{planq}`: what the scripts get as KEYS[1], and BullMQ's prefix. */
  base: string;
  events: string;
  /** Stream of what workers have to hear: new runs, runs that are cancelled or go on. */
  calls: string;
  /** Sorted set of run ids by creation time. */
  runs: string;
  /** Set of runs that have not ended. */
  live: string;
  /** Sorted set of ended runs whose run job has not written the report yet. */
  ended: string;
  /** Sorted set of runs whose undo was asked for and has not been submitted, by the time of asking. */
  undo: string;
  /** Text: who prunes by the keep rules now. */
  pruner: string;
  /** Hash worker id → JSON; each entry carries its own expiry. */
  workers: string;
  /** Set of master names that any plan has named. */
  masters: string;
  /** Hash limit → capacity. */
  caps: string;
  used: string;
  /** Sorted set of `<run>|<index>` by the time at which the lease ends. */
  leases: string;
  sweeper: string;
  /** Set of masters of which it was told that no worker serves them. */
  unserved: string;
  /** Hash of what is paused: all, master:<name>, run:<id> → who, when, why. */
  holds: string;
  run(run: string, part?: RunPart): string;
  /** List of the last output lines of a task. */
  tail(run: string, index: number): string;
  line(limit: string): string;
}

/** The run's own fields in its hash. What stands there beside them is of its nodes, and of no use without an index. */
export const RUN_FIELDS: readonly string[] = [
  ...['name', 'status', 'hash', 'key', 'workspace', 'context', 'nodes', 'gates', 'noFiles', 'onFailure'],
  ...['createdAt', 'startedAt', 'finishedAt', 'blockedAt', 'ending', 'undo', 'undoRun', 'undoOf'],
];

/**
 * What a run's hash has of each node: the letter before its index. The node itself, its dependents, how many of its needs are
 * open; the definition of a task and its record. All in one hash with the run's own fields, since a claim and a settle look
 * at most of them.
 */
export const NODE_FIELDS = { nodes: '', deps: 'd', open: 'o', defs: 'f', tasks: 't' } as const;
export type NodePart = keyof typeof NODE_FIELDS;

export type RunPart = 'needs' | 'skip' | 'plan' | 'out' | 'outbox' | 'approvals' | 'decisions';

/** @param prefix letters, digits, `-` and `_`; `planq` unless configured */
export function createKeys(prefix: string): Keys {
  const base = `{${prefix}}`;
  const run = (id: string, part?: RunPart) => (part === undefined ? `${base}:r:${id}` : `${base}:r:${id}:${part}`);
  return {
    base,
    events: `${base}:events`,
    calls: `${base}:calls`,
    runs: `${base}:runs`,
    live: `${base}:live`,
    ended: `${base}:ended`,
    undo: `${base}:undo`,
    pruner: `${base}:pruner`,
    workers: `${base}:workers`,
    masters: `${base}:masters`,
    caps: `${base}:limits:caps`,
    used: `${base}:limits:used`,
    leases: `${base}:leases`,
    sweeper: `${base}:sweeper`,
    unserved: `${base}:unserved`,
    holds: `${base}:holds`,
    run,
    tail: (id, index) => `${run(id)}:tail:${index}`,
    line: (limit) => `${base}:w:${limit}`,
  };
}

/** The queue of the run and stage jobs. */
export const RUNS_QUEUE = 'runs';

/** @returns the queue of a master's tasks */
export function masterQueue(master: string): string {
  return `master-${master}`;
}

/** @returns how a waiting task stands in a line; the scripts' `line_entry` */
export function lineEntry(run: string, index: number): string {
  return `${run}|${String(index).padStart(6, '0')}`;
}
