/** What keeps a task waiting outside the record: the queue it stands in, and who serves it. Pure. */
import type { Reason, TaskFacts } from './why-facts.ts';

/** Of a task that the record would let start. */
export function explainQueue(facts: TaskFacts): Reason[] {
  const { queue, task, runId } = facts;
  const reasons: Reason[] = [];
  if (queue.workers === 0)
    reasons.push({
      code: 'no-worker',
      message: `no worker serves master ${task.master}`,
      clear: `start "planq worker", or work this run here`,
      command: `planq watch ${runId} --work`,
    });
  if (queue.isPaused)
    reasons.push({
      code: 'queue-paused',
      message: `BullMQ's queue of master ${task.master} is paused, though not by planq`,
      clear: 'resume the queue with the tool that paused it',
      command: null,
    });
  if (queue.cap !== null && queue.active >= queue.cap)
    reasons.push({
      code: 'master-limit',
      message: `master ${task.master} has ${queue.active} of ${queue.cap} tasks at once`,
      clear: 'it starts by itself when one of them ends',
      command: null,
    });
  reasons.push(...jobReasons(facts));
  if (queue.workers > 0 && queue.free === 0)
    reasons.push({
      code: 'workers-busy',
      message: `all ${queue.workers} workers of master ${task.master} are busy${aheadText(queue.ahead)}`,
      clear: 'it starts by itself when one has room, or start another "planq worker"',
      command: null,
    });
  return reasons;
}

function jobReasons({ queue }: TaskFacts): Reason[] {
  switch (queue.jobState) {
    case 'unknown':
    case 'completed':
    case 'failed':
      return [
        {
          code: 'no-job',
          message:
            queue.jobState === 'unknown'
              ? 'its job is not in BullMQ'
              : `its job in BullMQ has ${queue.jobState} already`,
          clear: 'a worker adds it again within seconds',
          command: null,
        },
      ];
    case 'prioritized':
    case 'waiting':
      if (queue.workers === 0 || queue.free === 0 || (queue.ahead ?? 0) === 0) return [];
      return [
        {
          code: 'waiting',
          message: `${queue.ahead} before it in its queue`,
          clear: 'its turn comes by itself',
          command: null,
        },
      ];
    default:
      return [];
  }
}

function aheadText(ahead: number | null): string {
  return ahead === null || ahead === 0 ? '' : `, ${ahead} before it in its queue`;
}
