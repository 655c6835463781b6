/**
 * Loads the Lua scripts beside this file and gives each a typed call. ioredis sends the script's hash, and its text when
 * the server has forgotten it.
 */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

const NAMES = [
  'submit',
  'claim',
  'settle',
  'heartbeat',
  'report',
  'cancel',
  'retry',
  'sweep',
  'added',
  'hold',
  'skip',
  'approve',
  'prune',
  'finalised',
  'waive',
  'due',
  'pruned',
  'notify',
  'audit-limits',
  'audit-leases',
  'audit-counts',
  'audit-gates',
  'audit-jobs',
  'audit-parent',
  'audit-master',
  'audit-orphan',
  'suspects',
  'repaired',
] as const;
export type ScriptName = (typeof NAMES)[number];

export type ScriptReply = (string | number | null)[];

export interface Scripts {
  /** Runs one script. Arguments are strings and numbers in the order that the script's header gives. */
  call(name: ScriptName, ...args: (string | number)[]): Promise<ScriptReply>;
}

type Command = (base: string, ...args: (string | number)[]) => Promise<ScriptReply>;

/** Defines the scripts on a connection. @param base the keys' common base */
export function createScripts(redis: Redis, base: string): Scripts {
  const lib = readScript('lib');
  for (const name of NAMES)
    redis.defineCommand(commandName(name), { numberOfKeys: 1, lua: `${lib}\n${readScript(name)}` });
  const commands = redis as unknown as Record<string, Command>;
  return {
    call: (name, ...args) => commands[commandName(name)]!(base, ...args),
  };
}

function commandName(name: ScriptName): string {
  return `planq${name[0]!.toUpperCase()}${name.slice(1)}`;
}

function readScript(name: string): string {
  return readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
}
