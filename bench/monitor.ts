/**
 * Which commands clients send, and which run inside scripts. `INFO` counts both as one (a script's own commands are in
 * `total_commands_processed` and in `commandstats`), `MONITOR` tells them apart; it slows the server, so nothing is timed.
 */
import { nameScripts } from './scripts.ts';
import type { BenchServer } from './server.ts';

export interface CommandCounts {
  /** What clients sent, scripts by their names. */
  sent: Map<string, number>;
  /** What ran inside scripts. */
  inside: Map<string, number>;
}

/** Counts all commands of others while `work` goes on. @param isOurs what the bench itself sends meanwhile */
export async function countCommands(
  server: BenchServer,
  isOurs: (args: readonly string[]) => boolean,
  work: () => Promise<void>,
): Promise<CommandCounts> {
  const names = await nameScripts();
  const counts: CommandCounts = { sent: new Map(), inside: new Map() };
  const monitor = await server.redis.monitor();
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    const isInside = source === 'lua';
    if (!isInside && isOurs(args)) return;
    const into = isInside ? counts.inside : counts.sent;
    const name = nameOf(args, names);
    into.set(name, (into.get(name) ?? 0) + 1);
  });
  await work();
  monitor.disconnect();
  return counts;
}

function nameOf(args: readonly string[], names: ReadonlyMap<string, string>): string {
  const command = (args[0] ?? '').toLowerCase();
  if (command !== 'evalsha') return command;
  return names.get(args[1] ?? '') ?? `script ${(args[1] ?? '').slice(0, 8)}`;
}

export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** `moveToFinished 1.00`, the most frequent first. @param tasks what a count is divided by */
export function topOf(counts: ReadonlyMap<string, number>, tasks: number, most = 20): string[] {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([name, count]) => `${(count / tasks).toFixed(2).padStart(8)}  ${name}`);
}
