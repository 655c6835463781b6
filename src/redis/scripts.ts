/**
 * Loads the Lua scripts beside this file and gives each a typed call. ioredis sends the script's hash, and its text when
 * the server has forgotten it.
 */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { bullmqFunction } from './bullmq-scripts.ts';
import { createTogether, type ScriptReply } from './call-together.ts';

const NAMES = [
  'advance',
  'submit',
  'claim',
  'settle',
  'conclude',
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
/** Scripts that are one function, and how it is called. */
const FUNCTIONS: Readonly<
  Partial<Record<(typeof NAMES)[number], { main: string; answer?: string; jobs?: true; with?: readonly string[] }>>
> = {
  claim: { main: 'return each_call(claim_by)' },
  settle: { main: 'local replies = each_call(settle_whole) write_prioritized() return replies', jobs: true },
  conclude: { main: 'return each_call(conclude)' },
  advance: {
    main: 'return advance()',
    answer: 'in_json(reply)',
    jobs: true,
    with: ['claim', 'settle', 'conclude', 'job-ends'],
  },
};

export type ScriptName = (typeof NAMES)[number];

export interface Scripts {
  /** Runs one script. Arguments are strings and numbers in the order that the script's header gives. */
  call(name: ScriptName, ...args: (string | number)[]): Promise<ScriptReply>;
  /** The same for scripts that take several calls at once: those of one turn of the event loop travel together. */
  callTogether(name: TogetherName, ...args: (string | number)[]): Promise<ScriptReply>;
}

const TOGETHER = ['claim', 'settle', 'conclude'] as const;
type TogetherName = (typeof TOGETHER)[number];

type Command = (base: string, ...args: (string | number)[]) => Promise<ScriptReply>;

export interface ScriptOptions {
  /** Whether the streams of BullMQ's own events are written where planq does the work of BullMQ's scripts. */
  queueEvents: boolean;
}

/** Defines the scripts on a connection, all with the first call: who only reads needs none. @param base the keys' common base */
export function createScripts(redis: Redis, base: string, options: ScriptOptions): Scripts {
  const commands = redis as unknown as Record<string, Command>;
  let areDefined = false;
  const call: Scripts['call'] = (name, ...args) => {
    if (!areDefined) defineScripts(redis, options);
    areDefined = true;
    return commands[commandName(name)]!(base, ...args);
  };
  const together = new Map(
    TOGETHER.map((name) => [
      name,
      createTogether((...args) => call(name, ...args) as unknown as Promise<ScriptReply[]>),
    ]),
  );
  return { call, callTogether: (name, ...args) => together.get(name)!(...args) };
}

function defineScripts(redis: Redis, options: ScriptOptions): void {
  for (const [name, lua] of readScripts(options)) redis.defineCommand(commandName(name), { numberOfKeys: 1, lua });
}

/** The scripts as Redis gets them. */
export function readScripts({ queueEvents }: ScriptOptions): Map<ScriptName, string> {
  const fields = readScript('fields');
  const lib = readScript('lib');
  const jobs = `local KEEPS_QUEUE_EVENTS = ${queueEvents}\n${bullmqFunction()}${readScript('jobs')}`;
  const texts = NAMES.map((name): [ScriptName, string] => {
    const form = FUNCTIONS[name];
    const parts = [lib, ...(form?.jobs === true ? [jobs] : []), ...(form?.with ?? []).map(readScript)];
    const main =
      form === undefined ? wrapped(readScript(name)) : `${readScript(name)}\n${wrapped(form.main, form.answer)}`;
    return [name, [fields, 'return (function()', ...parts, main, 'end)()'].join('\n')];
  });
  return new Map(texts);
}

/** What a script leaves to be written is written when it is over. */
function wrapped(text: string, answer = 'reply'): string {
  return ['local function main()', text, 'end', 'local reply = main()', 'write_all()', `return ${answer}`].join('\n');
}

function commandName(name: ScriptName): string {
  return `planq${name[0]!.toUpperCase()}${name.slice(1)}`;
}

function readScript(name: string): string {
  return readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
}
