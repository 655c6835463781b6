import type { ChainableCommander } from 'ioredis';

/** A pipeline whose first error is thrown; ioredis hands errors over as values. */
export async function execute(pipeline: ChainableCommander): Promise<void> {
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
}
