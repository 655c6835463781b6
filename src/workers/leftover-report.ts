import { killLeftovers } from '../agents/leftovers.ts';
import type { WorkerParts } from './context.ts';

/** Kills and tells of what workers of this machine left behind that died together with their guardians. */
export async function tellLeftovers({ clock, warn }: Pick<WorkerParts, 'clock' | 'warn'>): Promise<void> {
  for (const { worker, found, survivors } of await killLeftovers(clock)) {
    const fate = survivors.length === 0 ? 'killed' : `could not kill ${survivors.join(', ')} of`;
    warn(`${fate} what the lost worker ${worker} had left running: ${found.join(', ')}`, { worker, found, survivors });
  }
}
