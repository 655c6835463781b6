/** Processes that should have ended, found in /proc without asking planq. */
import { readdirSync, readFileSync } from 'node:fs';

/** Living processes that have `marker` in their command line: whatever else they changed, this they kept. */
export function findSurvivors(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isZombie = /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
        return !isZombie && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marker);
      } catch {
        // It ended while we looked.
        return false;
      }
    });
}
