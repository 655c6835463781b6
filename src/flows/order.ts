/**
 * Who goes first: the plan's priority, then the longest remaining path by estimate, then age. Once as a BullMQ priority
 * (inside a master's queue, where age is BullMQ's own order) and once as a place in line (among waiters of a limit).
 */
import type { Priority } from '../plan/plan.ts';

const CLASS: Record<Priority, number> = { critical: 0, high: 1, medium: 2, low: 3 };

const PRIORITY_PATH_MAX = 2 ** 19 - 1;
const LINE_PATH_MAX = 2 ** 18 - 1;

/** BullMQ priority from 1 to 2^21 - 1. @param remainingMinutes longest path to the end of the plan */
export function jobPriority(priority: Priority, remainingMinutes: number): number {
  return Math.min(
    2 ** 21 - 1,
    CLASS[priority] * 2 ** 19 + (PRIORITY_PATH_MAX - clamp(remainingMinutes, PRIORITY_PATH_MAX)) + 1,
  );
}

/** An integer below 2^52 as text: 2 bits class, 18 bits path, 31 bits age. @param createdAt epoch ms of the run */
export function placeInLine(priority: Priority, remainingMinutes: number, createdAt: number): string {
  const path = LINE_PATH_MAX - clamp(remainingMinutes, LINE_PATH_MAX);
  return String(CLASS[priority] * 2 ** 49 + path * 2 ** 31 + (Math.floor(createdAt / 1000) % 2 ** 31));
}

function clamp(minutes: number, max: number): number {
  return Math.min(Math.max(Math.round(minutes), 0), max);
}
