/**
 * The list `notify` of the configuration: who is told of what. Read entry by entry; every mistake is a problem with its
 * place. What can be seen of a webhook's address without asking the network is looked at here.
 */
import { isIP } from 'node:net';
import { createAddressCheck, hostOf } from './addresses.ts';
import { nearestWord } from './nearest.ts';
import type { Problem } from './problem.ts';

/** What can be told. */
export const NOTIFY_TYPES = ['blocked', 'completed', 'failed', 'cancelled', 'approval'] as const;
export type NotifyType = (typeof NOTIFY_TYPES)[number];

export interface CommandEntry {
  on: NotifyType[];
  /** For `/bin/sh -c`. */
  command: string;
}

export interface WebhookEntry {
  on: NotifyType[];
  /** As `URL` writes it. */
  webhook: string;
  /** Variable of the worker that holds the secret for the signature; null = not signed. */
  secretEnv: string | null;
  /** Hosts that may have internal addresses, and may be spoken to without TLS. */
  allowHosts: string[];
}

export type NotifyEntry = CommandEntry | WebhookEntry;

const KEYS = ['on', 'command', 'webhook', 'secretEnv', 'allowHosts'];
const MOST_ENTRIES = 20;

type Tell = (path: string, message: string, hint?: string) => void;

/** @param value what the file has under `notify`; entries with a mistake are left out and told as problems */
export function readNotify(value: unknown, file: string, problems: Problem[]): NotifyEntry[] {
  if (value === undefined) return [];
  const tell: Tell = (path, message, hint) =>
    void problems.push({
      code: message.startsWith('unknown key') ? 'unknown-key' : 'bad-value',
      severity: 'error',
      message,
      ...(hint === undefined ? {} : { hint }),
      file,
      path,
    });
  if (!Array.isArray(value) || value.length > MOST_ENTRIES) {
    tell('notify', `"notify" must be a list of objects, at most ${MOST_ENTRIES}`);
    return [];
  }
  const entries = value.flatMap((item: unknown, at) => readEntry(item, `notify[${at}]`, tell));
  refuseTwins(entries, tell);
  return entries;
}

function readEntry(item: unknown, path: string, tell: Tell): NotifyEntry[] {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    tell(path, `"${path}" must be an object`);
    return [];
  }
  const entry = new Map(Object.entries(item));
  for (const key of entry.keys()) {
    if (KEYS.includes(key)) continue;
    const near = nearestWord(key, KEYS);
    tell(`${path}.${key}`, `unknown key "${path}.${key}"`, near === undefined ? undefined : `did you mean "${near}"?`);
  }
  const on = readOn(entry.get('on'), `${path}.on`, tell);
  if (entry.has('command') === entry.has('webhook')) {
    tell(path, `"${path}" must have "command" or "webhook", one of the two`);
    return [];
  }
  return entry.has('command') ? readCommand(entry, on, path, tell) : readWebhook(entry, on, path, tell);
}

function readOn(value: unknown, path: string, tell: Tell): NotifyType[] {
  const words = NOTIFY_TYPES.map((word) => `"${word}"`).join(', ');
  if (!Array.isArray(value) || value.length === 0) {
    tell(path, `"${path}" must be a list of at least one of ${words}`);
    return [];
  }
  return value.flatMap((word: unknown): NotifyType[] => {
    const known = NOTIFY_TYPES.find((one) => one === word);
    if (known !== undefined) return [known];
    const near = typeof word === 'string' ? nearestWord(word, NOTIFY_TYPES) : undefined;
    const hint = near === undefined ? `it may have ${words}` : `did you mean "${near}"?`;
    tell(path, `"${path}" has the unknown word ${JSON.stringify(word)}`, hint);
    return [];
  });
}

function readCommand(entry: Map<string, unknown>, on: NotifyType[], path: string, tell: Tell): NotifyEntry[] {
  const command = entry.get('command');
  for (const key of ['secretEnv', 'allowHosts'])
    if (entry.has(key)) tell(`${path}.${key}`, `"${path}.${key}" is for a webhook, and this is a command`);
  if (typeof command === 'string' && command.trim() !== '' && !command.includes('\0')) return [{ on, command }];
  tell(`${path}.command`, `"${path}.command" must be a shell line`);
  return [];
}

function readWebhook(entry: Map<string, unknown>, on: NotifyType[], path: string, tell: Tell): NotifyEntry[] {
  const allowHosts = readHosts(entry.get('allowHosts'), `${path}.allowHosts`, tell);
  const secretEnv = entry.get('secretEnv') ?? null;
  if (secretEnv !== null && (typeof secretEnv !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(secretEnv))) {
    const hint = 'the secret itself does not belong into the file';
    tell(`${path}.secretEnv`, `"${path}.secretEnv" must be the name of an environment variable`, hint);
    return [];
  }
  const text = entry.get('webhook');
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  if (url === null) {
    tell(`${path}.webhook`, `"${path}.webhook" must be a URL such as "https://example.com/hook"`);
    return [];
  }
  const fault = findFault(url, allowHosts);
  if (fault !== null) tell(`${path}.webhook`, `"${path}.webhook" ${fault.what}`, fault.hint);
  return fault === null ? [{ on, webhook: url.href, secretEnv, allowHosts }] : [];
}

/** The URL itself is not quoted: its path is often a secret. */
function findFault(url: URL, allowHosts: readonly string[]): { what: string; hint: string } | null {
  const host = hostOf(url);
  if (url.username !== '' || url.password !== '')
    return { what: 'has a user name or password', hint: 'sign with "secretEnv" instead' };
  const allow = `if "${host}" is a host of your own, add it to "allowHosts"`;
  const isAllowed = allowHosts.includes(host);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isAllowed))
    return { what: 'must begin with https://', hint: url.protocol === 'http:' ? allow : 'only https is spoken' };
  if (isAllowed) return null;
  if (host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && !createAddressCheck()(host)))
    return { what: `leads to the internal host "${host}"`, hint: allow };
  return null;
}

function readHosts(value: unknown, path: string, tell: Tell): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    tell(path, `"${path}" must be a list of host names`);
    return [];
  }
  return value.flatMap((name: unknown): string[] => {
    // As a URL's host is written: lower case, no port, addresses in their one form.
    const bare = typeof name === 'string' ? name.replace(/^\[(.*)\]$/, '$1') : '';
    const text = `https://${isIP(bare) === 6 ? `[${bare}]` : bare}/`;
    const url = /^[^/?#@\\\s]+$/.test(bare) && URL.canParse(text) ? new URL(text) : null;
    if (url !== null && (isIP(bare) !== 0 || !bare.includes(':'))) return [hostOf(url)];
    tell(path, `"${path}" has ${JSON.stringify(name)}, which is not a host name`, 'write it without https:// and port');
    return [];
  });
}

/** How far a receiver has been told is kept by its address: two entries with one address would share it. */
function refuseTwins(entries: readonly NotifyEntry[], tell: Tell): void {
  const targets = entries.map((entry) => ('command' in entry ? entry.command : entry.webhook));
  if (new Set(targets).size < targets.length)
    tell('notify', '"notify" has the same receiver twice', 'list all that it is told under one "on"');
}
