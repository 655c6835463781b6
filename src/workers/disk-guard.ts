/**
 * Keeps a worker from beginning tasks where there is no room for their output. What runs goes on.
 */
import path from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import type { Config } from '../runtime/config.ts';
import { checkDisk, type DiskReader } from '../runtime/disk.ts';
import type { PeriodicTask } from '../runtime/ticker.ts';

const CHECK_MS = 5000;
const TELL_EVERY_MS = 60_000;

export interface DiskGuardOptions {
  config: Pick<Config, 'projectDir' | 'workspace'>;
  clock: Clock;
  warn(message: string): void;
  readDisk?: DiskReader;
  /** Called once when the room runs out. */
  hold(): Promise<void>;
  /** Called once when there is room again. */
  release(): Promise<void>;
}

/** The periodic look; one warning a minute while there is no room. */
export function createDiskGuard(options: DiskGuardOptions): PeriodicTask {
  const { config, clock, warn, readDisk } = options;
  const dir = path.resolve(config.projectDir, config.workspace);
  let isHeld = false;
  let toldAt = Number.NEGATIVE_INFINITY;
  const runOnce = async (): Promise<void> => {
    const lack = await checkDisk(dir, readDisk);
    if (lack !== null && clock.monotonic() - toldAt >= TELL_EVERY_MS) {
      toldAt = clock.monotonic();
      warn(`${lack}; no task is begun until there is room`);
    }
    if ((lack !== null) === isHeld) return;
    isHeld = lack !== null;
    await (isHeld ? options.hold() : options.release());
  };
  return { name: 'disk', intervalMs: CHECK_MS, runOnce };
}
