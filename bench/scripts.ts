/** The names of Lua scripts by their hash: BullMQ's, and planq's as built. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');

export function nameScripts(): Map<string, string> {
  const names = new Map<string, string>();
  const add = (name: string, text: string): unknown => names.set(createHash('sha1').update(text).digest('hex'), name);
  const require = createRequire(import.meta.url);
  const theirs = path.join(ROOT, 'node_modules/bullmq/dist/cjs/scripts');
  for (const file of existsSync(theirs) ? readdirSync(theirs) : []) {
    if (!/-\d+\.js$/.test(file)) continue;
    for (const content of Object.values(require(path.join(theirs, file)) as Record<string, { content?: string }>))
      if (typeof content?.content === 'string') add(`bullmq ${file.replace(/-\d+\.js$/, '')}`, content.content);
  }
  const ours = path.join(ROOT, 'dist/redis/scripts');
  const read = (file: string): string => readFileSync(path.join(ours, file), 'utf8');
  for (const file of readdirSync(ours).filter((name) => name !== 'lib.lua'))
    add(`planq ${path.basename(file, '.lua')}`, `${read('lib.lua')}\n${read(file)}`);
  return names;
}
