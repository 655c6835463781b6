/**
 * The load that several promises are tried under.
 */

import type { AgentOrders } from '../../src/drill/orders.ts';
import type { Chance } from './chance.ts';
import type { Lab } from './lab.ts';

export interface StagesOptions {
  /** One more task in the third stage, which fails for good while there is no file `healed`. */
  dead?: boolean;
  stages?: number;
  width?: number;
  /** Milliseconds of work, from and to. */
  work?: [least: number, most: number];
}

/** A plan of stages, each task of which needs some of the stage before; every tenth fails once. */
export function createStages(lab: Lab, chance: Chance, options: StagesOptions = {}): Record<string, unknown> {
  const { stages = 4, width = 6, work = [100, 500], dead = false } = options;
  const tasks: Record<string, unknown> = {};
  for (let stage = 1; stage <= stages; stage++) {
    for (let at = 1; at <= width; at++) {
      const orders: AgentOrders = { work: chance.between(...work), failTimes: chance.random() < 0.1 ? 1 : 0 };
      const needs = stage === 1 ? [] : pickSome(chance, width).map((number) => `stage${stage - 1}-${number}`);
      tasks[`stage${stage}-${at}`] = lab.task(orders, { needs, retries: 3 });
    }
  }
  if (dead)
    tasks.dead = lab.task(
      { work: chance.between(...work), needsFile: lab.path('healed') },
      { needs: ['stage2-1'], retries: 0 },
    );
  return { barrier: 'stage', tasks };
}

function pickSome(chance: Chance, width: number): number[] {
  return [...new Set([chance.between(1, width), chance.between(1, width)])];
}
