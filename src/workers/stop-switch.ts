import type { StopReason } from '../agents/agent.ts';

/** Stops one attempt. Its signal is made when somebody asks for it: most attempts that do nothing never do. */
export class StopSwitch {
  #controller: AbortController | undefined;
  #reason: StopReason | undefined;

  /** The first reason stays. */
  stop(reason: StopReason): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }

  /** Undefined while nobody has stopped it. */
  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** Aborted with the {@link StopReason}. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }
}
