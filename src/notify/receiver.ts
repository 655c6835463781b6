/**
 * Who is told: one entry of the configuration, with what it needs to be told. Two kinds, one shape. A receiver is named by
 * its place and host: its line or address may hold a secret.
 */
import { createHash } from 'node:crypto';
import type { NotifyEntry, NotifyType } from '../runtime/notify-config.ts';
import type { Notification } from './notification.ts';

export interface Receiver {
  /** Stands for its address in Redis, so that its place in the list may change. */
  id: string;
  /** `notify[0] (webhook hooks.example.com)`. */
  name: string;
  on: readonly NotifyType[];
  /** One try. Never throws. */
  send(notification: Notification, signal: AbortSignal): Promise<Sent>;
}

export type Sent =
  /** `message` is for people: "answered 200", "exit code 0". */
  | { ok: true; message: string }
  /** `isFinal`: another try would end the same. */
  | { ok: false; message: string; isFinal: boolean };

/** The same wherever the entry stands in the list, and whatever it is told of. */
export function receiverId(entry: NotifyEntry): string {
  const target = 'command' in entry ? entry.command : entry.webhook;
  return createHash('sha256').update(target).digest('hex').slice(0, 16);
}

/** How it is called where people read. @param at its place in the list */
export function nameOf(entry: NotifyEntry, at: number): string {
  return `notify[${at}] (${'command' in entry ? 'command' : `webhook ${new URL(entry.webhook).host}`})`;
}
