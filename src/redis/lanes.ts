/**
 * Calls that travel together on a few lanes: while Redis works on the calls of one lane, this process works on the answers
 * of another. Without lanes all that runs here would move in step, and each side would wait for the other.
 */

interface Call<Request, Answer> {
  request: Request;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface LanesOptions<Request, Answer> {
  lanes: number;
  /** While another lane is out, fewer wait for more. */
  least: number;
  /** Longer calls keep every other client of Redis waiting. */
  most: number;
  /** Sends some requests on a lane; answers in the same order. An `Error` among the answers is for that call alone. */
  send(lane: number, requests: readonly Request[]): Promise<readonly (Answer | Error)[]>;
}

export class Lanes<Request, Answer> {
  readonly #free: number[];
  readonly #waiting: Call<Request, Answer>[] = [];
  /** Answers that have come: one lane's are handed out in a turn of the event loop. */
  readonly #come: (() => void)[] = [];
  #isSending = false;
  #isHanding = false;

  constructor(private readonly options: LanesOptions<Request, Answer>) {
    this.#free = Array.from({ length: options.lanes }, (_, lane) => lane);
  }

  /** Rejects with what the sending rejects with. */
  call(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#sendSoon();
    });
  }

  /** Those of one turn of the event loop go together. */
  #sendSoon(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => {
      this.#isSending = false;
      this.#sendWaiting();
    });
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < this.options.least && this.#free.length < this.options.lanes) return;
      const lane = this.#free.shift();
      if (lane === undefined) return;
      void this.#send(lane, this.#waiting.splice(0, this.options.most));
    }
  }

  async #send(lane: number, calls: readonly Call<Request, Answer>[]): Promise<void> {
    let hand: () => void;
    try {
      const answers = await this.options.send(
        lane,
        calls.map(({ request }) => request),
      );
      hand = () => {
        for (const [at, { resolve, reject }] of calls.entries()) {
          const answer = answers[at]!;
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        }
      };
    } catch (error) {
      hand = () => {
        for (const { reject } of calls) reject(error);
      };
    }
    this.#free.push(lane);
    // What waits is for Redis now, while the answers are looked at here.
    this.#sendWaiting();
    this.#come.push(hand);
    this.#handSoon();
  }

  /** After each lane's answers what they led to is sent, before the next lane's are looked at. */
  #handSoon(): void {
    if (this.#isHanding) return;
    const hand = this.#come.shift();
    if (hand === undefined) return;
    this.#isHanding = true;
    hand();
    setImmediate(() => {
      setImmediate(() => {
        this.#isHanding = false;
        this.#handSoon();
      });
    });
  }
}
