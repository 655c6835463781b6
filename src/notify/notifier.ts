/**
 * Tells people and systems what became of runs: one feed for each receiver, so that none waits for another, and no run for
 * any. Lives in every worker; who tells a receiver is settled by its lease.
 */
import { allowedEnvironment } from '../agents/environment.ts';
import type { Event } from '../events/event.ts';
import type { Store } from '../producer/store.ts';
import type { Config } from '../runtime/config.ts';
import { createMask } from '../runtime/mask.ts';
import type { NotifyType } from '../runtime/notify-config.ts';
import { type Random, randomId } from '../runtime/random.ts';
import { type Service, startAll } from '../runtime/service.ts';
import { readVersion } from '../runtime/version.ts';
import { isCommand } from './command.ts';
import { PATIENCE, type Patience } from './deliver.ts';
import { Feed } from './feed.ts';
import { type Notification, testNotification, toNotification } from './notification.ts';
import { readFacts } from './read-facts.ts';
import { nameOf, type Receiver, receiverId, type Sent } from './receiver.ts';
import { createReceivers, type ReceiverTools } from './receivers.ts';

export interface NotifierOptions extends ReceiverTools {
  config: Config;
  store: Store;
  random: Random;
  /** Unique over all workers. */
  holder: string;
  warn(message: string, facts?: Record<string, unknown>): void;
  onError(error: unknown): void;
  /** For tests. */
  patience?: Patience;
}

export interface Notifier extends Service {
  /** Ends the wait of `stop` at once. */
  hurry(): void;
}

/** Does nothing where nobody is to be told. @throws PlanqError `config_invalid` when a secret is missing */
export function createNotifier(options: NotifierOptions): Notifier {
  const { store, clock, random, warn, onError, config } = options;
  const compose = createComposer(options);
  const feeds = createReceivers(options).map(
    (receiver) =>
      new Feed({
        store,
        receiver,
        lease: store.notifyLease(receiver.id, options.holder),
        clock,
        random,
        leaseMs: config.times.lockMs,
        patience: options.patience ?? PATIENCE,
        compose,
        warn,
        onError,
      }),
  );
  return {
    start: () => startAll(feeds),
    stop: () => Promise.all(feeds.map((feed) => feed.stop())).then(() => undefined),
    hurry: () => {
      for (const feed of feeds) feed.hurry();
    },
  };
}

function createComposer({
  store,
  config,
  env,
}: NotifierOptions): (event: Event, type: NotifyType) => Promise<Notification> {
  const version = readVersion();
  const harmless = allowedEnvironment(env);
  const passed = Object.entries(allowedEnvironment(env, config.passEnv)).filter(([name]) => !(name in harmless));
  const signing = config.notify.map((entry) => (isCommand(entry) ? undefined : env[entry.secretEnv ?? '']));
  const own = [...passed.map(([, value]) => value), ...signing, env.REDIS_URL];
  return async (event, type) => {
    const asked = type === 'approval' && 'tasks' in event ? event.tasks : null;
    const facts = await readFacts(store, event.run, asked, (values) =>
      createMask([...own, ...values].filter((value) => value !== undefined)),
    );
    return toNotification(event, type, facts, version);
  };
}

/**
 * Begins the cursors of receivers that are new, so that what a submit itself causes is told by the first worker.
 * Throws what Redis answers with.
 */
export async function anchorReceivers(store: Store, config: Config): Promise<void> {
  for (const entry of config.notify) await store.notifyLease(receiverId(entry), '').anchor();
}

export interface ReceiverInfo {
  to: string;
  on: readonly NotifyType[];
  /** Variable with the secret that it is signed with; null = not signed, or a command. */
  secretEnv: string | null;
  /** Whether that variable is there. */
  hasSecret: boolean;
}

/** Needs no secrets. @param env the environment in which they are looked for */
export function listReceivers({ notify }: Pick<Config, 'notify'>, env: ReceiverTools['env']): ReceiverInfo[] {
  return notify.map((entry, at) => {
    const secretEnv = isCommand(entry) ? null : entry.secretEnv;
    const hasSecret = secretEnv !== null && (env[secretEnv] ?? '') !== '';
    return { to: nameOf(entry, at), on: entry.on, secretEnv, hasSecret };
  });
}

export interface TestResult {
  to: string;
  on: readonly NotifyType[];
  sent: Sent;
  durationMs: number;
}

/** Sends a test notification to each receiver at the same time, one try. @throws PlanqError `config_invalid` */
export async function sendTest(tools: ReceiverTools, signal: AbortSignal): Promise<TestResult[]> {
  const { clock } = tools;
  const notification = testNotification(randomId(10), clock.now(), readVersion());
  const send = async (receiver: Receiver): Promise<TestResult> => {
    const startedAt = clock.monotonic();
    const sent = await receiver.send(notification, signal);
    return { to: receiver.name, on: receiver.on, sent, durationMs: Math.round(clock.monotonic() - startedAt) };
  };
  return Promise.all(createReceivers(tools).map(send));
}
