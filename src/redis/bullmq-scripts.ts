/**
 * BullMQ's own Lua script that adds a job with a priority, as a function for ours: for the cases that `jobs.lua` does not
 * write out itself. BullMQ's text is used as it comes with the pinned version; only its arguments are made there.
 */
import { createRequire } from 'node:module';

const NAME = 'addPrioritizedJob';
const KEYS = 9;

/** Lua: the local function `bullmq_addPrioritizedJob(KEYS, ARGV)`. @throws when this BullMQ has another script */
export function bullmqFunction(): string {
  const require = createRequire(import.meta.url);
  const { [NAME]: found } = require(`bullmq/dist/cjs/scripts/${NAME}-${KEYS}.js`) as Record<
    string,
    { content: string; keys: number } | undefined
  >;
  if (found === undefined || found.keys !== KEYS)
    throw new Error(`BullMQ's script ${NAME} is another than planq knows`);
  return `local function bullmq_${NAME}(KEYS, ARGV)\n${found.content}\nend\n`;
}
