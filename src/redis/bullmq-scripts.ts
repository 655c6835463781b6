/**
 * Two of BullMQ's own Lua scripts as functions for ours, so that a script that lets tasks go adds their jobs in the same
 * step: what the record calls ready is then in BullMQ, whoever dies next. BullMQ's text is used as it comes with the pinned
 * version; only its arguments are made here, in `jobs.lua`.
 */
import { createRequire } from 'node:module';

const SOURCES = [
  { name: 'addPrioritizedJob', file: 'addPrioritizedJob-9.js', keys: 9 },
  { name: 'addParentJob', file: 'addParentJob-6.js', keys: 6 },
] as const;

/** Lua: one local function per script, `bullmq_<name>(KEYS, ARGV)`. @throws when this BullMQ has another script */
export function bullmqFunctions(): string {
  const require = createRequire(import.meta.url);
  return SOURCES.map(({ name, file, keys }) => {
    const found = (require(`bullmq/dist/cjs/scripts/${file}`) as Record<string, { content: string; keys: number }>)[
      name
    ];
    if (found === undefined || found.keys !== keys)
      throw new Error(`BullMQ's script ${name} is another than planq knows`);
    return `local function bullmq_${name}(KEYS, ARGV)\n${found.content}\nend\n`;
  }).join('');
}
