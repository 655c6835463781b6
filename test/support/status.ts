/** Damage to the status of a run's record. */
import type { TestApp } from './app.ts';

/** Replaces what `pattern` finds in it. @throws when it finds nothing */
export async function damageStatus(app: TestApp, run: string, pattern: RegExp, by: string): Promise<void> {
  const key = app.store.keys.run(run);
  const text = (await app.store.redis.hget(key, 'status')) ?? '';
  if (!pattern.test(text)) throw new Error(`no ${pattern} in ${JSON.stringify(text)}`);
  await app.store.redis.hset(key, 'status', text.replace(pattern, by));
}
