/** What a worker knows of secrets, and how it keeps them out of all that it tells. */
import os from 'node:os';
import type { AgentReport, Outcome } from '../agents/agent.ts';
import { passedEnvironment } from '../agents/environment.ts';
import type { Config } from '../runtime/config.ts';
import { looksSecret } from '../runtime/secret-names.ts';
import { passwordsOf, Secrets } from '../runtime/secrets.ts';
import type { Attempt } from './attempt-state.ts';
import type { WorkerContext, WorkerParts } from './context.ts';

/** Secret from the start: the password of Redis, and what `passEnv` hands to every agent under a name such as `…_TOKEN`. */
export function openSecrets(config: Config, env: WorkerParts['env']): Secrets {
  const passed = Object.entries(passedEnvironment(env, config.passEnv)).filter(([name]) => looksSecret(name));
  const known = [...passwordsOf(config.redisUrl), ...passed.map(([, value]) => value)];
  return new Secrets({ env, files: config.secretFiles, projectDir: config.projectDir }, known);
}

/** `warn` that tells no secret. */
export function maskWarnings(secrets: Secrets, warn: WorkerParts['warn']): WorkerParts['warn'] {
  return (message, facts) => warn(secrets.mask(message), secrets.maskDeep(facts));
}

export function maskReport(secrets: Secrets, report: AgentReport): AgentReport {
  return report.kind === 'spawned' ? report : secrets.maskDeep(report);
}

/** The outcome as it may be stored. Values for dependents are masked too: what is in Redis is read by many. */
export function maskOutcome(secrets: Secrets, outcome: Outcome): Outcome {
  return secrets.maskDeep(outcome);
}

/**
 * Reads the values of the task's secrets.
 * @returns the final failure when one is not there: another attempt would not find it either
 */
export async function readTaskSecrets(worker: WorkerContext, attempt: Attempt): Promise<Outcome | undefined> {
  const { values, missing, short } = await worker.secrets.read(attempt.task.secrets ?? []);
  attempt.secrets = values;
  for (const name of short) {
    const message = `secret ${name} has fewer than 8 characters, so it cannot be masked where the agent prints it`;
    await worker.store.record.report(attempt.held, 'warning', undefined, message);
  }
  if (missing.length === 0) return undefined;
  const places = missing.map(({ name, where }) => `${name} (looked in ${where})`).join(', ');
  const what = missing.length === 1 ? 'Missing secret' : 'Missing secrets';
  const next = 'give it to that worker by its environment or "secretFiles", start the worker again and retry';
  return {
    kind: 'failed',
    reason: `${what}: ${places} on worker ${worker.workerId} of host ${os.hostname()}; ${next}`,
  };
}
