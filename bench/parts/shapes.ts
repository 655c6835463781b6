/** (e) one wide stage, (f) one long chain, (g) many tasks behind a limit: single runs on a worker that does nothing else. */
import type { Lab } from '../lab.ts';
import { openPlanq } from '../planq.ts';
import { chain, type PlanDocument, stageAndOne, wide } from '../plans.ts';
import { atMost, type Row, row } from '../rows.ts';
import { openStanding, type RunTimes } from '../standing.ts';
import { median } from '../statistics.ts';
import type { PartFile } from './part.ts';

type Shape = 'stage' | 'chain' | 'limited' | 'free';

export const shapes: PartFile = {
  parts: ['e', 'f', 'g'],
  measure: async (lab) => {
    const count = lab.options.quick ? 40 : 1000;
    const length = lab.options.quick ? 10 : 200;
    const documents: Record<Shape, PlanDocument> = {
      stage: stageAndOne(count),
      chain: chain(length),
      limited: wide(count, 10),
      free: wide(count),
    };
    const rounds = await playRounds(lab, documents);
    const figure = (of: (round: Record<Shape, RunTimes>) => number) => {
      const values = rounds.map(of);
      return { value: median(values), rounds: values };
    };
    const ms = 'ms' as const;
    const rows = [
      row({
        part: 'e',
        id: 'stage-total',
        what: `${count} tasks side by side, then one: submit to end`,
        unit: ms,
        ...figure(({ stage }) => stage.totalMs),
      }),
      row({
        part: 'e',
        id: 'stage-submit',
        what: `${count} tasks side by side, then one: the call of submit alone`,
        unit: ms,
        ...figure(({ stage }) => stage.submitMs),
      }),
      row({
        part: 'f',
        id: 'chain-total',
        what: `chain of ${length}: submit to end`,
        unit: ms,
        ...figure(({ chain: one }) => one.totalMs),
      }),
      row({
        part: 'f',
        id: 'chain-task',
        what: `chain of ${length}: for each task`,
        unit: ms,
        ...figure(({ chain: one }) => one.totalMs / length),
      }),
      row({
        part: 'g',
        id: 'limit-ratio',
        what: `${count} ready tasks, 10 at once, against no limit: total time`,
        unit: 'ratio',
        target: atMost(2),
        ...figure(({ limited, free }) => limited.totalMs / free.totalMs),
      }),
    ];
    return { rows: [...rows, ...(await claims(lab))] };
  },
};

async function playRounds(lab: Lab, documents: Record<Shape, PlanDocument>): Promise<Record<Shape, RunTimes>[]> {
  const standing = await openStanding(lab);
  const rounds: Record<Shape, RunTimes>[] = [];
  try {
    for (let at = 0; at <= lab.options.rounds; at++) {
      const round = new Map<string, RunTimes>();
      for (const [shape, document] of Object.entries(documents)) round.set(shape, await standing.run(document));
      // The first one warms up.
      if (at > 0) rounds.push(Object.fromEntries(round) as Record<Shape, RunTimes>);
      lab.say(
        `shapes ${at}: ${[...round].map(([shape, { totalMs }]) => `${shape} ${Math.round(totalMs)} ms`).join(', ')}`,
      );
    }
  } finally {
    await standing.end();
  }
  return rounds;
}

/** How long the server works on one claim that is refused, with few and with many in line before it. Called directly: no worker. */
async function claims(lab: Lab): Promise<Row[]> {
  const many = lab.options.quick ? 200 : 10_000;
  const window = lab.options.quick ? 20 : 50;
  await lab.server.empty();
  const planq = await openPlanq(lab);
  const { runId } = await planq.app.submit(await planq.load(wide(many, 1)));
  const { record } = await planq.app.store();
  const claimUpTo = async (from: number, to: number): Promise<void> => {
    for (let index = from; index < to; index++)
      await record.claim({ run: runId, index, token: `bench-${index}` }, 'bench', 600_000);
  };
  const usecOf = async (from: number, to: number): Promise<number> => {
    const before = (await lab.server.totals()).byCommand.get('evalsha')!;
    await claimUpTo(from, to);
    const after = (await lab.server.totals()).byCommand.get('evalsha')!;
    return (after.usec - before.usec) / (after.calls - before.calls);
  };
  // One has the only place, ten are in line.
  await claimUpTo(0, 11);
  const few = await usecOf(11, 11 + window);
  await claimUpTo(11 + window, many - window);
  const late = await usecOf(many - window, many);
  await planq.close();
  lab.say(`claim: ${few.toFixed(0)} µs with few waiters, ${late.toFixed(0)} µs with ${many}`);
  return [
    row({ part: 'g', id: 'claim-few', what: 'one refused claim in Redis, 10 waiters', value: few / 1000, unit: 'ms' }),
    row({
      part: 'g',
      id: 'claim-many',
      what: `one refused claim in Redis, ${many} waiters`,
      value: late / 1000,
      unit: 'ms',
    }),
    row({
      part: 'g',
      id: 'claim-ratio',
      what: `one refused claim, ${many} waiters against 10`,
      value: late / few,
      unit: 'ratio',
    }),
  ];
}
