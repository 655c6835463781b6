/** (l) whether a task costs more in a large plan, and behind many runs that have ended. */
import { CONCURRENCY, drainPlanq, ratePerSecond } from '../drain.ts';
import type { Lab } from '../lab.ts';
import { openPlanq, type Planq, submitMany } from '../planq.ts';
import { layered, type PlanDocument, single, wide } from '../plans.ts';
import { type Row, row } from '../rows.ts';
import type { BenchServer } from '../server.ts';
import { openStanding } from '../standing.ts';
import { median } from '../statistics.ts';
import type { PartFile } from './part.ts';

const SHAPES: readonly { id: string; what: string; of(count: number): PlanDocument }[] = [
  { id: 'wide', what: 'side by side', of: (count) => wide(count) },
  { id: 'layered', what: 'in layers of ten', of: layered },
];

export const growth: PartFile = {
  parts: ['l'],
  measure: async (lab) => ({ rows: [...(await largePlans(lab)), ...(await manyRuns(lab))] }),
};

async function largePlans(lab: Lab): Promise<Row[]> {
  const sizes = lab.options.quick ? [10, 50] : [100, 1000, 10_000];
  const [small = 0, ...larger] = sizes;
  const standing = await openStanding(lab);
  const perTask = new Map<string, number[]>();
  try {
    for (let at = 0; at < lab.options.rounds; at++) {
      for (const { id, of } of SHAPES) {
        for (const size of sizes) {
          const repeats = size === small ? 5 : 1;
          const times: number[] = [];
          for (let time = 0; time < repeats; time++) times.push((await standing.run(of(size))).totalMs / size);
          const key = `${id}-${size}`;
          perTask.set(key, [...(perTask.get(key) ?? []), median(times)]);
          lab.say(`growth ${at + 1}: ${key} ${median(times).toFixed(2)} ms for a task`);
        }
      }
    }
  } finally {
    await standing.end();
  }
  return SHAPES.flatMap(({ id, what }) => {
    const base = perTask.get(`${id}-${small}`)!;
    const first = row({
      part: 'l',
      id: `${id}-${small}`,
      what: `${small} tasks ${what}: for each task`,
      value: median(base),
      unit: 'ms',
      rounds: base,
    });
    const others = larger.map((size) => {
      const ratios = perTask.get(`${id}-${size}`)!.map((ms, at) => ms / base[at]!);
      return row({
        part: 'l',
        id: `${id}-${size}-ratio`,
        what: `${size} tasks ${what}: a task against one of ${small}`,
        value: median(ratios),
        unit: 'ratio',
        rounds: ratios,
      });
    });
    return [first, ...others];
  });
}

/** The authentication plans once more, on an empty server and on one that keeps many ended runs, in turns. */
async function manyRuns(lab: Lab): Promise<Row[]> {
  const ended = lab.options.quick ? 50 : 10_000;
  const server = await lab.startServer();
  const full = await fill(lab, server, ended);
  const tasks = lab.options.quick ? 60 : 3000;
  const ratios: number[] = [];
  for (let at = 0; at < lab.options.rounds; at++) {
    const empty = await drainPlanq(lab, 'none', { workers: 1, tasks });
    const behind = await drainPlanq(lab, 'none', { workers: 1, tasks, server, keep: true, planq: full });
    ratios.push(ratePerSecond(empty) / ratePerSecond(behind));
    lab.say(`growth ${at + 1}: behind ${ended} ended runs ${ratios.at(-1)!.toFixed(2)} ×`);
  }
  await full.close();
  const what = `${tasks} tasks behind ${ended} ended runs: a task against one of an empty server`;
  return [row({ part: 'l', id: 'ended-ratio', what, value: median(ratios), unit: 'ratio', rounds: ratios })];
}

async function fill(lab: Lab, server: BenchServer, runs: number): Promise<Planq> {
  const planq = await openPlanq(lab, server);
  const worker = await lab.startProcess('planq-worker');
  const { prefix, projectDir } = planq;
  await worker.start({ socket: server.socket, prefix, projectDir, concurrency: CONCURRENCY });
  lab.say(`growth: ${runs} runs of one task`);
  await submitMany(planq, await planq.load(single()), runs);
  await planq.quiet();
  await worker.stop();
  await worker.end();
  return planq;
}
