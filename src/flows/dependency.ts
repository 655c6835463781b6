/**
 * What becomes of something that a run or stage job waits for. Pure: made of one look at BullMQ and the record.
 *
 *   wait     it comes, or a retry may bring it
 *   release  the record is done with it, as an ordinary way of ending leaves it: a failed job of a task whose failure is
 *            final, a job that still waits though its run has ended
 *   broken   it will never come: gone, ended otherwise than the record says, or nobody's
 */
import { isFinal, type RunState, type TaskState } from '../plan/states.ts';

export interface DependencyFacts {
  /** BullMQ's state of the job, or absent, nowhere, elsewhere. */
  job: string;
  /** Whether the job is one of this run's own. */
  isOurs: boolean;
  /** Null where it is no task's. */
  task: TaskState | null;
  isTolerated: boolean;
  run: RunState;
}

export type Verdict = 'wait' | 'release' | 'broken';

const IN_A_QUEUE = ['prioritized', 'delayed', 'wait', 'paused'];

/** Judges one dependency. */
export function judgeDependency(facts: DependencyFacts): Verdict {
  const { job, isOurs, task, run } = facts;
  if (job === 'active') return 'wait';
  // A foreign job may be worth waiting for as long as the run goes on.
  if (!isOurs && job !== 'absent') return isFinal(run) ? 'broken' : 'wait';
  if (task === null) return ['absent', 'nowhere', 'completed', 'failed'].includes(job) ? 'broken' : 'wait';
  // Its job is added again, or somebody is at work.
  if (task === 'ready' || task === 'parked' || task === 'running') return 'wait';
  if (IN_A_QUEUE.includes(job)) return isFinal(run) ? 'release' : 'wait';
  if (job !== 'failed') return 'broken';
  if (task !== 'failed') return isFinal(run) ? 'release' : 'broken';
  return isFinal(run) || facts.isTolerated ? 'release' : 'wait';
}
