/**
 * The audits as typed calls of their scripts: each compares two things that must agree in one atomic look; those that
 * repair in the record do it in the same call. States of BullMQ's jobs travel as its own words.
 */

import type { ScriptReply } from './call-together.ts';
import { type Grant, type OutboxEntry, readGrants, readOutbox } from './replies.ts';
import type { Scripts } from './scripts.ts';

/** A number that was wrong: of a limit, or of a run's counts. */
export interface Miscount {
  name: string;
  was: string;
  is: number;
}

export interface LostJob extends OutboxEntry {
  /** `nowhere`: its hash is there, and none of its queue's sets names it. */
  why: 'gone' | 'ended' | 'nowhere';
}

export interface Dependency {
  /** BullMQ's key of the child. */
  key: string;
  /** State of its job, `absent`, `nowhere`, or `elsewhere` under a foreign prefix. */
  job: string;
  /** The run that its data names; null when they are not ours. */
  run: string | null;
  index: number | null;
  /** State of its task; null of a stage job. */
  task: string | null;
  isTolerated: boolean;
}

export interface ParentLook {
  job: string;
  /** State of the run; null when no record knows it. */
  run: string | null;
  count: number;
  dependencies: Dependency[];
}

/** Most leases that are added up, and most nodes of a run that are counted, in one call: some 20 ms. */
const MOST_LEASES = 2000;
const MOST_NODES = 12_000;

/** Throws what Redis answers with. */
export class Audits {
  constructor(private readonly scripts: Scripts) {}

  /** @returns null where too many leases live to be added up in one call */
  async mendLimits(): Promise<{ grants: Grant[]; repairs: Miscount[] } | null> {
    const reply = await this.scripts.call('audit-limits', MOST_LEASES);
    if (reply[0] === 'many') return null;
    const words = Number(reply[1]);
    return { grants: readGrants(reply, 2, words), repairs: readMiscounts(reply.slice(2 + words)) };
  }

  /** @param mostMs no lease may end later than so many ms from now */
  async mendLeases(
    leaseMs: number,
    mostMs: number,
    run: string,
    indexes: readonly number[],
  ): Promise<{ run: string; index: number; node: string; why: 'missing' | 'too-long' }[]> {
    const reply = await this.scripts.call('audit-leases', leaseMs, mostMs, run, ...indexes);
    return parts(reply, 4).map(([its, index, node, why]) => ({
      run: String(its),
      index: Number(index),
      node: String(node),
      why: why as 'missing' | 'too-long',
    }));
  }

  async mendCounts(run: string): Promise<(Miscount & { what: 'count' | 'limit' })[]> {
    const reply = await this.scripts.call('audit-counts', run, MOST_NODES);
    return parts(reply, 4).map(([what, ...words]) => ({
      what: what === 'limit' ? 'limit' : 'count',
      ...readMiscounts(words)[0]!,
    }));
  }

  /** `closed` gates were opened too early and are closed again; of others it is only told. */
  async mendGates(run: string): Promise<{ outbox: OutboxEntry[]; gates: { index: number; isClosed: boolean }[] }> {
    const reply = await this.scripts.call('audit-gates', run, MOST_NODES);
    const from = 1 + Number(reply[0]);
    return {
      outbox: readOutbox(reply.slice(1, from), 0),
      gates: parts(reply.slice(from), 2).map(([index, word]) => ({
        index: Number(index),
        isClosed: word === 'closed',
      })),
    };
  }

  /** Of tasks of an outbox: those whose job is not there at all. */
  async findMissingJobs(run: string, entries: readonly OutboxEntry[]): Promise<OutboxEntry[]> {
    const found = await this.findLostJobs(
      run,
      entries.map(({ index }) => index),
      true,
    );
    return found.filter(({ why }) => why === 'gone');
  }

  /** @param withOutbox also tasks whose job is still being added */
  async findLostJobs(run: string, indexes: readonly number[], withOutbox = false): Promise<LostJob[]> {
    if (indexes.length === 0) return [];
    const reply = await this.scripts.call('audit-jobs', run, withOutbox ? '1' : '', ...indexes);
    return parts(reply, 3).map(([index, node, why]) => ({
      index: Number(index),
      node: String(node),
      why: why as LostJob['why'],
    }));
  }

  /** @param keys dependencies to look at; none = some, drawn by chance */
  async lookAtParent(run: string, id: string, keys: readonly string[] = []): Promise<ParentLook> {
    const reply = await this.scripts.call('audit-parent', run, id, ...(keys.length === 0 ? [''] : keys));
    return {
      job: String(reply[0]),
      run: reply[1] === '' ? null : String(reply[1]),
      count: Number(reply[2]),
      dependencies: parts(reply.slice(3), 6).map(([key, job, its, index, task, tolerated]) => ({
        key: String(key),
        job: String(job),
        run: its === '' ? null : String(its),
        index: index === '' ? null : Number(index),
        task: task === '' ? null : String(task),
        isTolerated: tolerated === '1',
      })),
    };
  }

  /** @param waiting jobs that wait though nobody serves the master; 0 = all is well. @returns whether it was told now */
  async noteMaster(master: string, waiting: number): Promise<boolean> {
    return (await this.scripts.call('audit-master', master, waiting))[0] === 1;
  }

  /** @returns whether it is one: a job of a run that no record knows, in none of its queue's sets */
  async lookAtOrphan(job: { queue: string; id: string; run: string }, remove: boolean): Promise<boolean> {
    return (await this.scripts.call('audit-orphan', job.queue, job.id, job.run, remove ? '1' : ''))[0] === 1;
  }

  /** Keeps what looks wrong for a second look. */
  async suspect(suspects: readonly string[]): Promise<void> {
    if (suspects.length > 0) await this.scripts.call('suspects', 'note', ...suspects);
  }

  /** At most 100 that were noted so long ago; each is handed out once. */
  async takeSuspects(ageMs: number): Promise<string[]> {
    return (await this.scripts.call('suspects', 'take', Math.round(ageMs))).map(String);
  }

  /** Tells of a repair that was made in BullMQ. */
  async tell(repair: { run: string; what: string; task?: number; count?: number; name?: string }): Promise<void> {
    const { run, what, task, count, name } = repair;
    await this.scripts.call('repaired', run, what, task ?? '', count ?? '', name ?? '');
  }
}

function readMiscounts(reply: ScriptReply): Miscount[] {
  return parts(reply, 3).map(([name, was, is]) => ({ name: String(name), was: String(was), is: Number(is) }));
}

function parts(reply: ScriptReply, size: number): ScriptReply[] {
  return Array.from({ length: Math.floor(reply.length / size) }, (_, at) => reply.slice(at * size, (at + 1) * size));
}
