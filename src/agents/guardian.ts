/**
 * The worker's side of the guardian program (`programs/guardian.mjs`): starts it, tells it which agents live and for how
 * long they may without a renewal, and says when it is gone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Service } from '../runtime/service.ts';
import type { ProcessIdentity } from './proc.ts';
import { programPath } from './program-path.ts';

/** One agent under guard. */
export interface GuardedAgent extends ProcessIdentity {
  /** Chosen by the caller; a second lease of the same id replaces the first. */
  id: string;
  /** The attempt's marker. */
  token: string;
  /** Real path of the attempt's log. */
  logFile?: string;
  /** Milliseconds until the guardian kills the agent, unless renewed. */
  ttlMs: number;
}

export interface GuardianOptions {
  /** The guardian died though nobody stopped it. Claim nothing until `start` has given a new one. */
  onExit?(): void;
  /** The guardian has killed an agent whose lease had run out. */
  onKilled?(id: string, survivors: number): void;
}

/** Client of one guardian process. Starting again after its death registers all agents again. */
export class Guardian implements Service {
  readonly #options: GuardianOptions;
  readonly #agents = new Map<string, GuardedAgent>();
  #child: ChildProcess | undefined;
  #starting: Promise<void> | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: GuardianOptions = {}) {
    this.#options = options;
  }

  /** The guardian's process number, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Does nothing when it runs already. @throws when the process cannot be started */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    this.#starting ??= this.#launch().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  /** Ends the guardian; it kills what is still leased before it goes. */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const child = this.#child;
    this.#child = undefined;
    this.#agents.clear();
    child?.stdin?.end();
    await this.#ended;
  }

  async #launch(): Promise<void> {
    const child = spawn(process.execPath, [programPath('guardian')], {
      detached: true,
      // Nothing of the worker's: the guardian needs none of it, and must not carry the marker of an outer attempt.
      env: {},
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await this.#adopt(child);
    for (const agent of this.#agents.values()) this.lease(agent);
  }

  /** Puts an agent under guard; to be called in the moment its `spawned` is reported. */
  lease(agent: GuardedAgent): void {
    this.#agents.set(agent.id, agent);
    const { id, pid, startTime, token, ttlMs, logFile } = agent;
    this.#send({ lease: id, pid, start: startTime, token, ttl: ttlMs, log: logFile });
  }

  /** Lets these agents live for `ttlMs` from now. Ids that are not leased are passed over. */
  renew(ids: readonly string[], ttlMs: number): void {
    for (const id of ids) {
      const agent = this.#agents.get(id);
      if (agent !== undefined) this.#agents.set(id, { ...agent, ttlMs });
    }
    this.#send({ renew: ids, ttl: ttlMs });
  }

  /** Takes an agent out of guard: its attempt is over and nothing of it is left. One that never was there is passed over. */
  drop(id: string): void {
    if (this.#agents.delete(id)) this.#send({ drop: id });
  }

  /** Resolves when the guardian says that it is ready: before that a polite signal would still end it. */
  async #adopt(child: ChildProcess): Promise<void> {
    // Broken pipes are told by the exit.
    child.stdin?.on('error', () => undefined);
    const words = createInterface({ input: child.stdout! });
    await new Promise<void>((resolve, reject) => {
      words.once('line', () => resolve());
      child.once('error', reject).once('exit', () => reject(new Error('the guardian ended while it was starting')));
    });
    words.on('line', (line) => this.#hear(line));
    this.#watch(child);
  }

  #watch(child: ChildProcess): void {
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => {
        resolve();
        if (this.#child !== child) return;
        this.#child = undefined;
        this.#options.onExit?.();
      });
    });
  }

  #hear(line: string): void {
    const { killed, survivors } = JSON.parse(line) as { killed: string; survivors: number };
    this.#agents.delete(killed);
    this.#options.onKilled?.(killed, survivors);
  }

  #send(order: Record<string, unknown>): void {
    this.#child?.stdin?.write(`${JSON.stringify(order)}\n`);
  }
}
