/**
 * How many tasks one worker process performs at once, over all its masters. First come, first served.
 */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  #alone: Promise<void> = Promise.resolve();

  constructor(readonly capacity: number) {
    this.#free = capacity;
  }

  get free(): number {
    return this.#free;
  }

  /** Resolves when a slot is ours. */
  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A slot now or none. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Hands the slot to whoever waits longest. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }

  /**
   * For a holder of one slot: waits until it has all of them, so that nothing else runs beside it. Others that want the
   * same wait their turn without a slot, so two never wait for each other. @returns how to give all but the one back
   */
  async takeRest(): Promise<() => void> {
    this.give();
    const before = this.#alone;
    let end = (): void => undefined;
    this.#alone = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    for (let count = 0; count < this.capacity; count++) await this.take();
    return () => {
      for (let count = 1; count < this.capacity; count++) this.give();
      end();
    };
  }
}
