/**
 * Tells a receiver by an HTTP request: to a looked-at address and no other, without following where the answer points,
 * within one time for everything. Proxies named in the environment are not used: they would do the resolving.
 */
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { hostOf } from '../runtime/addresses.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { WebhookEntry } from '../runtime/notify-config.ts';
import type { Notification } from './notification.ts';
import { type Receiver, receiverId, type Sent } from './receiver.ts';
import { type Address, findAddresses, type Resolve, systemResolve } from './resolve.ts';
import { sign } from './signature.ts';

export interface WebhookTools {
  clock: Clock;
  /** The value of the entry's variable; null = not signed. */
  secret: string | null;
  /** The version of planq. */
  version: string;
  /** For tests: a resolver that can be asked what it was asked. */
  resolve?: Resolve | undefined;
  /** For tests: who signed the receiver's certificate. */
  ca?: string | undefined;
  /** For tests; resolving, connecting, sending and reading together. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 5000;
const ANSWER_LIMIT = 64 * 1024;
const SHOWN = 100;

/** @param name as people know it */
export function createWebhook(entry: WebhookEntry, name: string, tools: WebhookTools): Receiver {
  const url = new URL(entry.webhook);
  return {
    id: receiverId(entry),
    name,
    on: entry.on,
    send: (notification, signal) => send({ url, entry, tools }, notification, signal),
  };
}

interface Target {
  url: URL;
  entry: WebhookEntry;
  tools: WebhookTools;
}

async function send(target: Target, notification: Notification, outer: AbortSignal): Promise<Sent> {
  const { clock, timeoutMs = TIMEOUT_MS } = target.tools;
  const over = new AbortController();
  const inner = AbortSignal.any([outer, over.signal]);
  const late = clock.sleep(timeoutMs, inner).then((): Sent => {
    const message = outer.aborted ? 'stopped' : `no answer within ${timeoutMs / 1000} s`;
    over.abort();
    return { ok: false, message, isFinal: false };
  });
  try {
    return (await tell(target, notification, inner)) ?? (await late);
  } finally {
    over.abort();
  }
}

/** @returns undefined when its time was over before it was answered */
async function tell(
  { url, entry, tools }: Target,
  notification: Notification,
  signal: AbortSignal,
): Promise<Sent | undefined> {
  const host = hostOf(url);
  const isAllowed = entry.allowHosts.includes(host);
  const found = await unlessAborted(findAddresses(host, isAllowed, tools.resolve ?? systemResolve), signal);
  if (found === undefined) return undefined;
  if (!found.ok) return { ok: false, ...found.error };
  const body = JSON.stringify(notification);
  try {
    return toSent(await exchange(open(url, body, { tools, notification, addresses: found.value, signal }), body));
  } catch (error) {
    if (signal.aborted) return undefined;
    return { ok: false, message: `cannot reach ${url.host}: ${errorMessage(error)}`, isFinal: false };
  }
}

/** A resolver cannot be told to stop; nobody waits for it then. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  return Promise.race([work, aborted]);
}

interface Opening {
  tools: WebhookTools;
  notification: Notification;
  addresses: readonly Address[];
  signal: AbortSignal;
}

function open(url: URL, body: string, { tools, notification, addresses, signal }: Opening): ClientRequest {
  const { secret, version, clock, ca } = tools;
  const host = hostOf(url);
  const options = {
    method: 'POST',
    host,
    port: url.port === '' ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    // A connection of its own: one that is kept could have been opened under another address.
    agent: false as const,
    lookup: pinnedTo(addresses),
    signal,
    headers: {
      host: url.host,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': `planq/${version}`,
      'planq-delivery': notification.id,
      ...(secret === null ? {} : { 'planq-signature': sign(secret, body, clock.now()) }),
    },
  };
  if (url.protocol === 'http:') return plainRequest(options);
  return tlsRequest({
    ...options,
    // Said here, so that no variable of Node's can say otherwise.
    rejectUnauthorized: true,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
}

/** Answers with what was looked at, instead of asking again. */
function pinnedTo(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}

interface Answer {
  status: number;
  /** Its beginning. */
  body: string;
}

/** The status says whether it was taken; of the rest no more is read than may be shown, or 64 KB. */
function exchange(request: ClientRequest, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let answer: Answer | undefined;
    request.on('error', (error) => (answer === undefined ? reject(error) : resolve(answer)));
    request.on('response', (response: IncomingMessage) => {
      const begun: Answer = { status: response.statusCode ?? 0, body: '' };
      answer = begun;
      let size = 0;
      const end = (): void => {
        resolve(begun);
        request.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (begun.body.length < SHOWN) begun.body += chunk.toString('latin1');
        if (size >= ANSWER_LIMIT) end();
      });
      response.on('end', end).on('close', end).on('error', end);
    });
    request.end(body);
  });
}

function toSent({ status, body }: Answer): Sent {
  const message = `answered ${status}`;
  if (status >= 200 && status < 300) return { ok: true, message };
  if (status >= 300 && status < 400)
    return { ok: false, message: `${message}: redirects are not followed`, isFinal: true };
  const words = body
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, SHOWN);
  return { ok: false, message: words === '' ? message : `${message}: ${words}`, isFinal: false };
}
