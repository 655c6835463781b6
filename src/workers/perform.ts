/**
 * A task's job, from BullMQ's hand and back: claim → attempt → settle → let go what became ready → end the job. What
 * comes next is added to BullMQ before this job ends, so that its parents never see zero children early.
 */
import type { Outcome } from '../agents/agent.ts';
import { parseDefinition } from '../flows/definition.ts';
import type { JobData } from '../flows/job-data.ts';
import { leavesFiles } from '../plan/leaves-files.ts';
import { enqueueAgain } from '../producer/enqueue.ts';
import { reopenRunJob, revive } from '../producer/revive.ts';
import type { RunContext } from '../producer/submit.ts';
import { exists as pathExists } from '../producer/workspace.ts';
import { type Job, UnrecoverableError } from '../redis/queues.ts';
import { settleArguments } from '../redis/record.ts';
import type { ClaimReply, SettleReply } from '../redis/replies.ts';
import { type Claimed, Ending } from '../redis/turn-worker.ts';
import { randomToken } from '../runtime/random.ts';
import { performAttempt } from './attempt.ts';
import { Attempt } from './attempt-state.ts';
import type { WorkerContext } from './context.ts';
import { declineJob } from './decline.ts';
import type { Held } from './holdings.ts';
import { letGo } from './let-go.ts';
import { endJob, settleRecord, toSettleInput } from './settle.ts';
import { writeOutcomeFiles } from './status-files.ts';
import { StopSwitch } from './stop-switch.ts';

/** This worker was told to end between the claim and the first step. */
const HANDED_BACK: Outcome = { kind: 'snoozed', reason: 'worker is stopping', delayMs: 0 };

/**
 * Performs one task job. @returns the job's return value, or how it is to end; throws only what tells BullMQ where the job
 * goes
 * @param claimed when the task was claimed with taking its job; its slot is taken then, else it is taken here
 */
export async function performTask(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'task' },
  claimed?: Claimed,
): Promise<unknown> {
  if (claimed === undefined) await worker.slots.take();
  try {
    if (claimed !== undefined) return await performClaimed(worker, job, token, data, claimed);
    if (worker.isQuiet()) return await endJob(worker, job, token, { state: 'ready', delayMs: 0, reason: '' });
    return await claimAndPerform(worker, job, token, data);
  } finally {
    worker.slots.give();
  }
}

async function claimAndPerform(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'task' },
  isAlone = false,
): Promise<unknown> {
  const held = createHeld(job, data, randomToken(), worker.clock.monotonic());
  worker.holdings.add(held);
  try {
    const claim = await worker.store.record.claim(held, worker.workerId, worker.config.times.lockMs, {
      job: `${job.queueName}/${job.id ?? ''}`,
      isAlone,
      attemptsMade: job.attemptsMade,
      isPressed: !job.failedReason,
    });
    worker.hook('claimed');
    if (claim.kind === 'run') return await performHeld(worker, job, token, held, claim);
    worker.holdings.remove(held);
    return await goOnUnclaimed(worker, job, token, data, claim);
  } finally {
    worker.holdings.remove(held);
  }
}

async function performClaimed(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'task' },
  { reservation, reply }: Claimed,
): Promise<unknown> {
  worker.hook('claimed');
  if (reply.kind !== 'run') return goOnUnclaimed(worker, job, token, data, reply);
  const held = createHeld(job, data, reservation.token, reservation.at);
  worker.holdings.add(held);
  try {
    return await performHeld(worker, job, token, held, reply);
  } finally {
    worker.holdings.remove(held);
  }
}

async function performHeld(
  worker: WorkerContext,
  job: Job,
  token: string,
  held: Held,
  claim: ClaimReply & { kind: 'run' },
): Promise<unknown> {
  const context = findContext(worker, claim);
  const attempt = openAttempt(worker, job, held, claim, context instanceof Promise ? await context : context);
  if (worker.isQuiet()) return settleJob(worker, job, token, attempt, HANDED_BACK);
  const outcome = excuseLost(worker, attempt, await performAttempt(worker, attempt));
  worker.hook('verified');
  return settleJob(worker, job, token, attempt, outcome);
}

/** It is not to be performed now, or not at once. */
async function goOnUnclaimed(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'task' },
  claim: Exclude<ClaimReply, { kind: 'run' }>,
): Promise<unknown> {
  if (claim.kind === 'suspect') return claimAlone(worker, job, token, data, claim.crashes);
  if (claim.kind === 'again') {
    await runAgain(worker, job, data);
    return claimAndPerform(worker, job, token, data);
  }
  return declineJob(worker, job, token, data, claim);
}

function createHeld(job: Job, { run, index }: JobData & { kind: 'task' }, token: string, renewedAt: number): Held {
  return { jobId: job.id ?? '', run, index, token, stop: new StopSwitch(), renewedAt };
}

/**
 * A task that has stopped two workers runs alone, so that it takes no neighbours with it. It is claimed only when it is
 * alone: one that waits for its turn has no part in what ends the worker meanwhile.
 */
async function claimAlone(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'task' },
  crashes: number,
): Promise<unknown> {
  worker.warn('a task that stopped workers runs alone', { run: data.run, task: job.name, crashes });
  const giveRest = await worker.slots.takeRest();
  try {
    if (worker.isQuiet()) return await endJob(worker, job, token, { state: 'ready', delayMs: 0, reason: '' });
    return await claimAndPerform(worker, job, token, data, true);
  } finally {
    giveRest();
  }
}

/** Somebody pressed "retry" on the failed job where BullMQ's jobs are shown: to us it is `planq retry` of that task. */
async function runAgain(worker: WorkerContext, job: Job, { run, index }: JobData & { kind: 'task' }): Promise<void> {
  const { store, clock } = worker;
  const reply = await store.record.retry(run, index);
  if (reply.status === 'workspace')
    throw new UnrecoverableError(`cannot run it again: run ${reply.holder} uses the workspace now`);
  if (reply.status !== 'retried') return;
  worker.warn('a task was retried by its job in BullMQ', { run, task: job.name });
  await reopenRunJob(store, clock, run);
  // Its own job is here already; adding it again only sees to the tree around it.
  await enqueueAgain(
    store,
    run,
    reply.outbox.filter((entry) => entry.index === index),
  );
  await revive(
    store,
    clock,
    run,
    reply.outbox.filter((entry) => entry.index !== index),
    0,
  );
}

/** Machines may have the shared project folder at different places. */
function findContext({ config }: WorkerContext, claim: ClaimReply & { kind: 'run' }): RunContext | Promise<RunContext> {
  const stored = JSON.parse(claim.context) as RunContext;
  if (stored.projectDir === config.projectDir) return stored;
  return pathExists(stored.projectDir).then((isThere) =>
    isThere ? stored : { ...stored, projectDir: config.projectDir },
  );
}

function openAttempt(
  worker: WorkerContext,
  job: Job,
  held: Held,
  claim: ClaimReply & { kind: 'run' },
  context: RunContext,
): Attempt {
  return new Attempt({
    held,
    parentId: job.parent?.id ?? null,
    number: claim.attempt,
    used: claim.used,
    startedAt: worker.clock.now(),
    task: parseDefinition(claim.def),
    context,
    hint: claim.hint,
  });
}

/** An agent that was stopped because this worker was away uses no attempt. */
function excuseLost(worker: WorkerContext, attempt: Attempt, outcome: Outcome): Outcome {
  if (outcome.kind !== 'retryable' || !worker.holdings.isOverdue(attempt.held)) return outcome;
  return { kind: 'snoozed', reason: 'the worker was away for longer than its lease', delayMs: 0 };
}

async function settleJob(
  worker: WorkerContext,
  job: Job,
  token: string,
  attempt: Attempt,
  outcome: Outcome,
): Promise<unknown> {
  const settled = (reply: SettleReply) => goOnSettled(worker, job, token, attempt, outcome, reply);
  const settleAlone = async () => {
    // As long as it takes: a server that refuses to write is asked for minutes.
    worker.holdings.add(attempt.held);
    try {
      return await settled(await settleRecord(worker, attempt, outcome));
    } finally {
      worker.holdings.remove(attempt.held);
    }
  };
  if (outcome.kind !== 'completed' || leavesFiles(attempt.task)) return settleAlone();
  const input = settleArguments(toSettleInput(worker, attempt, outcome));
  const settledHere = (reply: SettleReply) => (isOver(reply) ? tellHooks(worker) : settled(reply));
  return new Ending(input, { state: 'completed' }, settledHere, settleAlone);
}

/** Nothing is left to do for a task without files. */
function isOver({ status, state, blocked, outbox, grants }: SettleReply): boolean {
  return status === 'settled' && state === 'completed' && blocked.length + outbox.length + grants.length === 0;
}

function tellHooks(worker: WorkerContext): undefined {
  worker.hook('settled');
  worker.hook('enqueued');
}

async function goOnSettled(
  worker: WorkerContext,
  job: Job,
  token: string,
  attempt: Attempt,
  outcome: Outcome,
  reply: SettleReply,
): Promise<unknown> {
  worker.hook('settled');
  if (reply.status === 'gone') throw new UnrecoverableError('no record knows this run');
  if (reply.status !== 'superseded' && (leavesFiles(attempt.task) || reply.blocked.length > 0))
    await writeOutcomeFiles(worker, attempt, outcome, reply);
  if (reply.outbox.length + reply.grants.length > 0) await letGo(worker, job, attempt.held.run, reply);
  worker.hook('enqueued');
  const reason = 'reason' in outcome ? outcome.reason : '';
  const tolerated = reply.state === 'failed' && attempt.task.continueOnError;
  return endJob(worker, job, token, { state: tolerated ? 'tolerated' : reply.state, delayMs: reply.delayMs, reason });
}
