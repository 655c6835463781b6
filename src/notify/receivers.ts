/** All receivers that the configuration names. */
import type { Guardian } from '../agents/guardian.ts';
import type { WorkerMark } from '../agents/worker-mark.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Config } from '../runtime/config.ts';
import { PlanqError } from '../runtime/errors.ts';
import { readVersion } from '../runtime/version.ts';
import { createCommand, isCommand } from './command.ts';
import { nameOf, type Receiver } from './receiver.ts';
import type { Resolve } from './resolve.ts';
import { createWebhook } from './webhook.ts';

export interface ReceiverTools {
  config: Pick<Config, 'notify' | 'projectDir' | 'passEnv' | 'times'>;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  debug?: ((message: string) => void) | undefined;
  guardian?: Pick<Guardian, 'lease' | 'drop'> | undefined;
  mark?: WorkerMark | undefined;
  /** For tests. */
  resolve?: Resolve | undefined;
  /** For tests. */
  ca?: string | undefined;
}

/** @throws PlanqError `config_invalid` when the variable with a secret is not set */
export function createReceivers(tools: ReceiverTools): Receiver[] {
  const { config, env, clock } = tools;
  const version = readVersion();
  return config.notify.map((entry, at) => {
    const name = nameOf(entry, at);
    if (!isCommand(entry)) {
      const secret = readSecret(entry.secretEnv, name, env);
      return createWebhook(entry, name, { clock, secret, version, resolve: tools.resolve, ca: tools.ca });
    }
    return createCommand(entry, name, {
      clock,
      cwd: config.projectDir,
      env,
      passEnv: config.passEnv,
      graceMs: Math.min(config.times.graceMs, GRACE_LIMIT_MS),
      guardian: tools.guardian,
      mark: tools.mark,
      debug: tools.debug ?? (() => undefined),
    });
  });
}

/** What it does is small; nobody waits long for its goodbye. */
const GRACE_LIMIT_MS = 2000;

function readSecret(variable: string | null, receiver: string, env: ReceiverTools['env']): string | null {
  if (variable === null) return null;
  const secret = env[variable];
  if (secret !== undefined && secret !== '') return secret;
  throw new PlanqError('config_invalid', `cannot sign for ${receiver}: the variable ${variable} is not set`, {
    hint: `set ${variable} to the secret of the webhook, or leave "secretEnv" out of planq.config.json`,
  });
}
