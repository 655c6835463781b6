/**
 * The processes of one attempt as far as watching needs to know them: whoever is below it, in its session, or was seen to
 * be before. Cheap, and shared by those who look; the stop looks for itself and more thoroughly.
 */
import { descendantsOf, isLive, type ProcessIdentity, type ProcessInfo } from './proc.ts';
import type { ProcessTable } from './process-table.ts';

export interface Members {
  /** The living, as they were at most `maxAgeMs` ago. */
  look(maxAgeMs: number): readonly ProcessInfo[];
  /** Everybody who was ever seen, for the stop: some leave their parent later. */
  seen(): ProcessIdentity[];
}

/** @param roots whoever the attempt began with; each may lead a session */
export function createMembers(roots: readonly number[], table: ProcessTable): Members {
  const seen = new Map<number, string>();
  const look = (maxAgeMs: number): readonly ProcessInfo[] => {
    const all = table.read(maxAgeMs);
    const isKnown = (info: ProcessInfo): boolean => seen.get(info.pid) === info.startTime;
    const heads = new Set([...roots, ...all.filter(isKnown).map(({ pid }) => pid)]);
    const below = new Set([...heads].flatMap((pid) => descendantsOf(pid, all)));
    const members = all.filter(
      (info) => isLive(info) && (roots.includes(info.session) || below.has(info) || isKnown(info)),
    );
    for (const { pid, startTime } of members) seen.set(pid, startTime);
    return members;
  };
  return { look, seen: () => [...seen].map(([pid, startTime]) => ({ pid, startTime })) };
}
