/** Workers as others see them, for tests that need one to be there and nothing performed. */
import os from 'node:os';
import { announceWorker, type WorkerInfo } from '../../src/producer/fleet.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { TestApp } from './app.ts';

/** Announces a worker that lives in this process. It takes nothing. */
export async function announceIdle(app: TestApp, parts: Partial<WorkerInfo> = {}): Promise<void> {
  await announceWorker(app.store, {
    id: 'idle',
    host: os.hostname(),
    pid: process.pid,
    masters: null,
    concurrency: 10,
    startedAt: systemClock.now(),
    seenAt: systemClock.now(),
    running: 0,
    ...parts,
  });
}
