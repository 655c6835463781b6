/**
 * (a) raw BullMQ, the yardstick; (b) planq on the same number of tasks; and of the same rounds (h) the most memory of a busy
 * worker, the bytes that Redis keeps, (k) what a task costs both of them in processor time, commands and bytes.
 */
import { type Drain, drainPlanq, drainRaw, ratePerSecond } from '../drain.ts';
import type { Lab } from '../lab.ts';
import type { Part } from '../options.ts';
import { atLeast, atMost, type Row, row, type Target, type Unit } from '../rows.ts';
import { median } from '../statistics.ts';
import type { PartFile } from './part.ts';

type System = 'raw' | 'none' | 'stage';
type Name = `${System}-${1 | 2}`;
type Round = Record<Name, Drain>;

const NAMES: readonly Name[] = ['raw-1', 'none-1', 'stage-1', 'raw-2', 'none-2', 'stage-2'];
const WORDS: Record<System, string> = { raw: 'raw BullMQ', none: '`barrier: none`', stage: '`barrier: stage`' };

export const throughput: PartFile = {
  parts: ['a', 'b', 'h', 'k'],
  measure: async (lab) => {
    const rounds: Round[] = [];
    for (let at = 0; at < lab.options.rounds; at++) rounds.push(await playRound(lab, at));
    return { rows: [...rates(rounds), ...memory(rounds), ...costs(rounds)] };
  },
};

async function playRound(lab: Lab, at: number): Promise<Round> {
  const tasks = lab.options.quick ? 120 : 3000;
  const drains = new Map<Name, Drain>();
  // There and back again, so that a machine that grows slower does not always hit the same system.
  for (const name of at % 2 === 0 ? NAMES : [...NAMES].reverse()) {
    const [system, workers] = split(name);
    const options = { workers, tasks };
    const drain = await (system === 'raw' ? drainRaw(lab, options) : drainPlanq(lab, system, options));
    drains.set(name, drain);
    lab.say(`round ${at + 1}: ${name} ${Math.round(ratePerSecond(drain))}/s`);
  }
  return Object.fromEntries(drains) as Round;
}

function split(name: Name): [System, number] {
  const [system, workers] = name.split('-');
  return [system as System, Number(workers)];
}

function describe(name: Name): string {
  const [system, workers] = split(name);
  return `${WORDS[system]}, ${workers === 1 ? 'one worker' : 'two workers'}`;
}

interface Figure {
  part: Part;
  id: string;
  what: string;
  unit: Unit;
  target?: Target;
  of(round: Round): number;
}

function figure(rounds: readonly Round[], { of, ...facts }: Figure): Row {
  const values = rounds.map(of);
  return row({ ...facts, value: median(values), rounds: values });
}

function rates(rounds: readonly Round[]): Row[] {
  return NAMES.flatMap((name) => {
    const [system, workers] = split(name);
    const part = system === 'raw' ? 'a' : 'b';
    const rate = figure(rounds, {
      part,
      id: `${name}-rate`,
      what: `${describe(name)}: first claim to last end`,
      unit: 'per second',
      of: (round) => ratePerSecond(round[name]),
    });
    if (system === 'raw') return [rate];
    const raw: Name = workers === 1 ? 'raw-1' : 'raw-2';
    const ratio = figure(rounds, {
      part,
      id: `${name}-ratio`,
      what: `${describe(name)}: share of the raw rate`,
      unit: 'ratio',
      target: atLeast(system === 'none' ? 0.6 : 0.4),
      of: (round) => ratePerSecond(round[name]) / ratePerSecond(round[raw]),
    });
    const wall = figure(rounds, {
      part,
      id: `${name}-wall-ratio`,
      what: `${describe(name)}: share of the raw rate, the worker's start included`,
      unit: 'ratio',
      of: (round) => round[raw].wallMs / round[name].wallMs,
    });
    return [rate, ratio, wall];
  });
}

function memory(rounds: readonly Round[]): Row[] {
  const peaks = (['raw-1', 'none-1'] as const).map((name) =>
    figure(rounds, {
      part: 'h',
      id: `${name}-peak`,
      what: `busy worker at its most: ${describe(name)}`,
      unit: 'bytes',
      ...(name === 'none-1' ? { target: atMost(120_000_000) } : {}),
      of: (round) => round[name].peakBytes,
    }),
  );
  const kept = (['raw-1', 'none-1', 'stage-1'] as const).map((name) =>
    figure(rounds, {
      part: 'h',
      id: `${name}-kept`,
      what: `Redis keeps of a completed task: ${describe(name)}`,
      unit: 'bytes',
      of: (round) => round[name].bytesKept / round[name].tasks,
    }),
  );
  return [...peaks, ...kept];
}

const COSTS: readonly { id: string; what: string; unit: Unit; of(drain: Drain): number }[] = [
  { id: 'worker-cpu', what: "worker's processor time for a task", unit: 'ms', of: (drain) => drain.workerCpuMs },
  { id: 'redis-cpu', what: "Redis' processor time for a task", unit: 'ms', of: (drain) => drain.server.cpuMs },
  {
    id: 'commands',
    what: 'commands for a task, those in scripts included',
    unit: 'count',
    of: (d) => d.server.commands,
  },
  { id: 'bytes-in', what: 'bytes to Redis for a task', unit: 'bytes', of: (drain) => drain.server.bytesIn },
  { id: 'bytes-out', what: 'bytes from Redis for a task', unit: 'bytes', of: (drain) => drain.server.bytesOut },
];

function costs(rounds: readonly Round[]): Row[] {
  return COSTS.flatMap(({ id, what, unit, of }) =>
    (['raw-1', 'none-1', 'stage-1'] as const).map((name) =>
      figure(rounds, {
        part: 'k',
        id: `${name}-${id}`,
        what: `${what}: ${describe(name)}`,
        unit,
        of: (round) => of(round[name]) / round[name].tasks,
      }),
    ),
  );
}
