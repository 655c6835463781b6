/**
 * One attempt at one task, as a list of named steps over one value: workspace → inputs → handoff → perform → verify →
 * check. Each step may end the attempt with an outcome; the first that does is the last. Claiming comes before and
 * settling after, in `perform.ts`.
 */
import { appendFile } from 'node:fs/promises';
import type { Agent, Outcome } from '../agents/agent.ts';
import { toStoppedOutcome } from '../agents/outcomes.ts';
import { leavesFiles } from '../plan/leaves-files.ts';
import { prepareAttempt, readOwner, taskPaths, toStatusTime, writeStatus } from '../producer/workspace.ts';
import { errorMessage } from '../runtime/errors.ts';
import { AttemptInvocation } from './attempt-invocation.ts';
import type { Attempt } from './attempt-state.ts';
import type { WorkerContext } from './context.ts';
import { writeHandoff } from './handoff.ts';
import { Reporter } from './reporter.ts';
import { describeFaults, findMissingInputs, verifyOutputs } from './verify.ts';
import { maskOutcome, readTaskSecrets } from './worker-secrets.ts';

/** A step that has nothing to do says so at once: most tasks need few of them, and each wait costs. */
type Step = (worker: WorkerContext, attempt: Attempt) => Promise<Outcome | undefined> | undefined;

const STEPS: readonly Step[] = [
  checkOrigin,
  openWorkspace,
  takeSecrets,
  checkInputs,
  handOver,
  runAgent,
  verify,
  runCheck,
];

/**
 * Performs the steps. A step that throws (a full disk, a folder that is not ours) fails the attempt, not the worker. What
 * comes out is free of secrets.
 */
export async function performAttempt(worker: WorkerContext, attempt: Attempt): Promise<Outcome> {
  return maskOutcome(worker.secrets, await performSteps(worker, attempt));
}

async function performSteps(worker: WorkerContext, attempt: Attempt): Promise<Outcome> {
  try {
    for (const step of STEPS) {
      const under = step(worker, attempt);
      const outcome = under === undefined ? undefined : await under;
      if (outcome !== undefined) return outcome;
    }
    return attempt.outcome ?? { kind: 'completed' };
  } catch (error) {
    return { kind: 'retryable', reason: `cannot perform task "${attempt.task.id}": ${errorMessage(error)}` };
  }
}

/** What an undo takes back must still be there: another run may have had the workspace before the undo was asked for. */
function checkOrigin(_worker: WorkerContext, { task: { undoes }, context }: Attempt): ReturnType<Step> {
  return undoes === undefined ? undefined : findOwner(undoes, context);
}

async function findOwner(
  { run, task }: NonNullable<Attempt['task']['undoes']>,
  { projectDir, workspace }: Attempt['context'],
): Promise<Outcome | undefined> {
  const owner = await readOwner(taskPaths(projectDir, workspace, task));
  if (owner === null || owner === run) return undefined;
  return { kind: 'failed', reason: `run ${owner} has used the folders of task "${task}" since` };
}

function openWorkspace(_worker: WorkerContext, attempt: Attempt): ReturnType<Step> {
  return leavesFiles(attempt.task) ? makeWorkspace(attempt) : undefined;
}

async function makeWorkspace(attempt: Attempt): Promise<undefined> {
  await prepareAttempt(attempt.paths, attempt.task, attempt.held.run);
  await writeStatus(attempt.paths, {
    task_id: attempt.task.id,
    status: 'running',
    started_at: toStatusTime(attempt.startedAt),
    agent_id: `agent-${attempt.held.token.slice(0, 8)}`,
  });
  return undefined;
}

/** Before anything is begun: without them the attempt would only fail later. */
function takeSecrets(worker: WorkerContext, attempt: Attempt): ReturnType<Step> {
  return (attempt.task.secrets ?? []).length === 0 ? undefined : readSecrets(worker, attempt);
}

async function readSecrets(worker: WorkerContext, attempt: Attempt): Promise<Outcome | undefined> {
  const outcome = await readTaskSecrets(worker, attempt);
  if (outcome?.kind === 'failed' && leavesFiles(attempt.task)) await tellInLog(attempt, [outcome.reason]);
  return outcome;
}

function checkInputs(worker: WorkerContext, attempt: Attempt): ReturnType<Step> {
  return attempt.task.inputs.length === 0 ? undefined : lookForInputs(worker, attempt);
}

async function lookForInputs(worker: WorkerContext, attempt: Attempt): Promise<Outcome | undefined> {
  const missing = await findMissingInputs(attempt.paths, attempt.task.inputs);
  if (missing.length === 0) return undefined;
  const reason = `Missing inputs: ${missing.join(', ')}`;
  await tellInLog(
    attempt,
    missing.map((text) => `Missing input: ${text}`),
  );
  if (attempt.context.inputs === 'strict') return { kind: 'failed', reason };
  await worker.store.record.report(attempt.held, 'warning', undefined, reason);
  return undefined;
}

function handOver(worker: WorkerContext, attempt: Attempt): ReturnType<Step> {
  return attempt.task.agent === 'noop' ? undefined : writeDown(worker, attempt);
}

async function writeDown(worker: WorkerContext, attempt: Attempt): Promise<undefined> {
  await writeHandoff(worker.store.record, {
    run: attempt.held.run,
    index: attempt.held.index,
    context: attempt.context,
    task: attempt.task,
    attempt: attempt.number,
    paths: attempt.paths,
    now: worker.clock.now(),
  });
}

async function runAgent(worker: WorkerContext, attempt: Attempt): Promise<Outcome | undefined> {
  const kind = attempt.task.agent;
  const agent = kind === null ? undefined : worker.agents.get(kind);
  if (agent === undefined) return { kind: 'failed', reason: `no agent "${kind ?? ''}" on worker ${worker.workerId}` };
  const stopped = attempt.held.stop.reason;
  if (stopped !== undefined) return toStoppedOutcome(stopped);
  const reporter = new Reporter(worker, attempt);
  const outcome = await agent.perform(new AttemptInvocation(worker, attempt, attempt.task, reporter));
  await reporter.flush();
  worker.guardian.drop(attempt.held.token);
  attempt.outcome = outcome;
  return outcome.kind === 'completed' ? undefined : outcome;
}

function verify(_worker: WorkerContext, attempt: Attempt): ReturnType<Step> {
  return attempt.task.outputs.length === 0 ? undefined : lookForOutputs(attempt);
}

async function lookForOutputs(attempt: Attempt): Promise<Outcome | undefined> {
  const faults = await verifyOutputs(attempt.paths, attempt.task.outputs);
  if (faults.length === 0) return undefined;
  const words = { missing: 'Missing', empty: 'Empty', invalid: 'Invalid' } as const;
  await tellInLog(
    attempt,
    faults.map((fault) => `${words[fault.kind]} output: ${fault.path}`),
  );
  const exitCode = attempt.outcome?.kind === 'completed' ? attempt.outcome.exitCode : undefined;
  return { kind: 'retryable', reason: describeFaults(faults), ...(exitCode === undefined ? {} : { exitCode }) };
}

/** Where a person looks first. */
async function tellInLog(attempt: Attempt, errors: readonly string[]): Promise<void> {
  await appendFile(attempt.paths.logFile, errors.map((text) => `ERROR: ${text}\n`).join(''), { mode: 0o600 });
}

/** The author's check is a command like any other: same folder, same environment, same ways to be stopped. */
function runCheck(worker: WorkerContext, attempt: Attempt): ReturnType<Step> {
  const { check } = attempt.task;
  const agent = worker.agents.get('command');
  return check === null || agent === undefined ? undefined : performCheck(worker, attempt, check, agent);
}

async function performCheck(
  worker: WorkerContext,
  attempt: Attempt,
  check: NonNullable<Attempt['task']['check']>,
  agent: Agent,
): Promise<Outcome | undefined> {
  const reporter = new Reporter(worker, attempt);
  const task = { ...attempt.task, agent: 'command', run: check };
  const outcome = await agent.perform(new AttemptInvocation(worker, attempt, task, reporter));
  await reporter.flush();
  worker.guardian.drop(attempt.held.token);
  if (outcome.kind === 'completed') return undefined;
  return outcome.kind === 'retryable' ? { ...outcome, reason: `Check failed: ${outcome.reason}` } : outcome;
}
