/**
 * Ctrl-C and SIGTERM, counted. A command that has something to end listens; for all others the first signal ends the
 * command in order. The third ends the process at once: the guardian stops what agents there are.
 */

export type SignalName = 'SIGINT' | 'SIGTERM';

/** @param times 1 for the first signal */
export type SignalListener = (times: number) => void;

const NAMES: readonly SignalName[] = ['SIGINT', 'SIGTERM'];
const INTERRUPTED = 130;

export class Signals {
  readonly #process: NodeJS.Process;
  readonly #first = new AbortController();
  #listener: SignalListener | undefined;
  #times = 0;

  constructor(process: NodeJS.Process) {
    this.#process = process;
  }

  start(): void {
    for (const name of NAMES) this.#process.on(name, this.#onSignal);
  }

  stop(): void {
    for (const name of NAMES) this.#process.off(name, this.#onSignal);
  }

  /** As if Ctrl-C had been pressed: for a reader of our output that has gone. */
  raise(): void {
    this.#onSignal();
  }

  /** Aborts with the first signal that nobody listens to. */
  get unheard(): AbortSignal {
    return this.#first.signal;
  }

  /** From now on this listener decides what a signal means. A signal that came before is told at once. */
  listen(listener: SignalListener): void {
    this.#listener = listener;
    if (this.#times > 0) listener(this.#times);
  }

  readonly #onSignal = (): void => {
    this.#times++;
    if (this.#times >= 3) this.#process.exit(INTERRUPTED);
    if (this.#listener === undefined) this.#first.abort();
    else this.#listener(this.#times);
  };
}
