/**
 * Looks after the server's memory before it is full: with `noeviction` a full Redis refuses lock renewals too, and that
 * would cost running work. New runs are refused long before.
 */
import { PlanqError } from '../runtime/errors.ts';
import type { Store } from './store.ts';

const WARN_AT = 0.7;
const REFUSE_AT = 0.8;

/** Part of `maxmemory` in use, 0 to 1; null where there is no limit. */
export async function memoryUse(store: Store): Promise<number | null> {
  const info = await store.redis.info('memory');
  const read = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const max = read('maxmemory');
  return max === 0 ? null : read('used_memory') / max;
}

/**
 * @returns a warning for the operator, or null
 * @throws PlanqError `redis_full` when there is not room enough for new work beside what is running
 */
export async function checkMemory(store: Store): Promise<string | null> {
  const use = await memoryUse(store);
  if (use === null || use < WARN_AT) return null;
  const percent = `${Math.round(use * 100)} %`;
  if (use >= REFUSE_AT) throw redisFull(`${percent} of its memory is in use`);
  return `Redis uses ${percent} of its memory; new runs are refused from ${REFUSE_AT * 100} % on`;
}

/** Whether an error is the server's "out of memory". */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b|EXECABORT/.test(error.message);
}

/** @returns the error that a submit is refused with */
export function redisFull(cause: string): PlanqError {
  return new PlanqError('redis_full', `cannot submit: Redis is full (${cause})`, {
    hint: 'give Redis more maxmemory or remove old runs; nothing was stored, and running work goes on',
  });
}
