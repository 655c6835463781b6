/**
 * Counts broken promises in what the agents wrote down. Pure; the fault tests count with the same functions.
 */
import { type Entry, type Life, toLives } from './journal.ts';

/** Milliseconds during which two agents of one task lived, by their own ticks; one entry per pair that did. */
export function findOverlaps(entries: readonly Entry[]): number[] {
  return pairs(toLives(entries))
    .filter(([a, b]) => a.run === b.run && a.task === b.task)
    .map(([a, b]) => Math.min(a.to, b.to) - Math.max(a.from, b.from))
    .filter((ms) => ms > 0);
}

/** The most units of a resource that living agents had at one instant. */
export function mostInUse(entries: readonly Entry[]): number {
  const moves = toLives(entries).flatMap((life) => [
    { at: life.from, units: life.takes },
    { at: life.to, units: -life.takes },
  ]);
  // At one instant, what is given back comes first: a life's last line is a moment after its last work.
  moves.sort((a, b) => a.at - b.at || a.units - b.units);
  let inUse = 0;
  let most = 0;
  for (const { units } of moves) {
    inUse += units;
    most = Math.max(most, inUse);
  }
  return most;
}

function pairs(lives: readonly Life[]): [Life, Life][] {
  return lives.flatMap((life, at) => lives.slice(at + 1).map((other): [Life, Life] => [life, other]));
}
