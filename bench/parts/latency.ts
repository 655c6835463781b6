/** (c) one small plan on an idle system: how long from submit to end; (d) how soon a task is claimed whose needs are met. */
import type { Heard } from '../follower.ts';
import type { Lab } from '../lab.ts';
import { authentication, chain } from '../plans.ts';
import { atMost, type Row, row } from '../rows.ts';
import { openStanding, type RunTimes, type Standing } from '../standing.ts';
import { mean, median, percentile } from '../statistics.ts';
import type { PartFile } from './part.ts';

export const latency: PartFile = {
  parts: ['c', 'd'],
  measure: async (lab) => {
    const standing = await openStanding(lab);
    try {
      return { rows: [...(await oneRun(lab, standing)), ...(await hops(lab, standing))] };
    } finally {
      await standing.end();
    }
  },
};

type Barrier = 'stage' | 'none';

async function oneRun(lab: Lab, standing: Standing): Promise<Row[]> {
  const count = lab.options.quick ? 5 : 55;
  const times: Record<Barrier, RunTimes[]> = { stage: [], none: [] };
  for (let at = 0; at < count; at++)
    for (const barrier of ['stage', 'none'] as const) times[barrier].push(await standing.run(authentication(barrier)));
  return (['stage', 'none'] as const).flatMap((barrier) => {
    // The first few find code that was never run.
    const rows = toRows(barrier, times[barrier].slice(lab.options.quick ? 0 : 5));
    lab.say(`one run, ${barrier}: ${rows[0]!.value} ms`);
    return rows;
  });
}

function toRows(barrier: Barrier, times: readonly RunTimes[]): [Row, ...Row[]] {
  const totals = times.map(({ totalMs }) => totalMs);
  const facts = { part: 'c', unit: 'ms' } as const;
  const what = `6 tasks in 5 stages, \`barrier: ${barrier}\`, idle system`;
  return [
    row({
      ...facts,
      id: `${barrier}-run-median`,
      what: `${what}: submit to end, median`,
      value: median(totals),
      ...(barrier === 'stage' ? { target: atMost(25) } : {}),
    }),
    row({ ...facts, id: `${barrier}-run-p99`, what: `${what}: 99 of 100 within`, value: percentile(totals, 99) }),
    row({
      ...facts,
      id: `${barrier}-submit-median`,
      what: `${what}: the call of submit alone, median`,
      value: median(times.map(({ submitMs }) => submitMs)),
    }),
  ];
}

/** In a chain each task but the first is met by the one before it. */
async function hops(lab: Lab, standing: Standing): Promise<Row[]> {
  const stamped: number[] = [];
  const heard: number[] = [];
  for (let at = 0; at < (lab.options.quick ? 1 : 5); at++) {
    const { run } = await standing.run(chain(lab.options.quick ? 10 : 60));
    const events = standing.follower.take().filter((one) => one.run === run);
    const done = new Map(events.filter(({ type }) => type === 'task-completed').map((one) => [one.task, one]));
    for (const started of events.filter(({ type }) => type === 'task-started')) {
      const before: Heard | undefined = done.get((started.task ?? 0) - 1);
      if (before === undefined) continue;
      stamped.push(started.at - before.at);
      heard.push(started.heardAt - before.heardAt);
    }
  }
  lab.say(`needs met to claimed: ${median(heard).toFixed(1)} ms`);
  const what = 'needs met to claimed';
  return [
    row({
      part: 'd',
      id: 'hop-median',
      what: `${what}: median, as a follower hears it`,
      value: median(heard),
      unit: 'ms',
      target: atMost(4),
    }),
    row({ part: 'd', id: 'hop-p99', what: `${what}: 99 of 100 within`, value: percentile(heard, 99), unit: 'ms' }),
    row({
      part: 'd',
      id: 'hop-stamped-mean',
      what: `${what}: mean by the events' own times (whole ms)`,
      value: mean(stamped),
      unit: 'ms',
    }),
  ];
}
