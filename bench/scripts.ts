/** The names of Lua scripts by their hash: BullMQ's, and planq's as built. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');

export async function nameScripts(): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const add = (name: string, text: string): unknown => names.set(createHash('sha1').update(text).digest('hex'), name);
  const require = createRequire(import.meta.url);
  const theirs = path.join(ROOT, 'node_modules/bullmq/dist/cjs/scripts');
  for (const file of existsSync(theirs) ? readdirSync(theirs) : []) {
    if (!/-\d+\.js$/.test(file)) continue;
    for (const content of Object.values(require(path.join(theirs, file)) as Record<string, { content?: string }>))
      if (typeof content?.content === 'string') add(`bullmq ${file.replace(/-\d+\.js$/, '')}`, content.content);
  }
  // A name that is not a literal: the built code has no types here before it is built.
  const built = new URL('../dist/redis/scripts.js', import.meta.url).href;
  const { readScripts } = (await import(built)) as typeof import('../src/redis/scripts.ts');
  for (const [name, text] of readScripts({ queueEvents: false })) add(`planq ${name}`, text);
  return names;
}
