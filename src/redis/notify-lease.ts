/**
 * Who tells a receiver, and how far it has been told: typed calls of the script `notify`. All workers may try; one holds
 * the lease at a time, and the cursor moves forward only.
 */
import type { Scripts } from './scripts.ts';

export interface LeaseReply {
  /** `taken`: by another holder. */
  status: 'held' | 'taken' | 'free';
  cursor: string;
}

/** A notification that nobody tries to deliver any more, for the event that says so. */
export interface GivenUp {
  run: string;
  type: string;
  to: string;
  reason: string;
}

/** Throws what Redis answers with. */
export class NotifyLease {
  constructor(
    private readonly scripts: Scripts,
    private readonly receiver: string,
    private readonly holder: string,
  ) {}

  /** Begins a cursor at the newest event where there is none. */
  async anchor(): Promise<void> {
    await this.scripts.call('notify', this.receiver, '', 0, '');
  }

  /**
   * Takes or renews the lease and moves the cursor on.
   * @param ttlMs 0 = gives it back @param cursor undefined = where it is
   */
  async hold(ttlMs: number, cursor: string | undefined, givenUp?: GivenUp): Promise<LeaseReply> {
    const more = givenUp === undefined ? [] : [givenUp.run, givenUp.type, givenUp.to, givenUp.reason];
    const reply = await this.scripts.call(
      'notify',
      this.receiver,
      this.holder,
      Math.round(ttlMs),
      cursor ?? '',
      ...more,
    );
    return { status: reply[0] as LeaseReply['status'], cursor: String(reply[1]) };
  }
}
