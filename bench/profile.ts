/** `--profile a|b`: where a worker process spends its time. The whole profile stays in `bench/profiles/` for a browser's tools. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { drainPlanq, drainRaw, ratePerSecond } from './drain.ts';
import type { Lab } from './lab.ts';

const FOLDER = path.join(import.meta.dirname, 'profiles');
const TOP = 25;

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

/** Drains once under the profiler and prints the functions in which most time was spent. */
export async function profile(lab: Lab, system: 'a' | 'b'): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${FOLDER}`];
  const options = { workers: 1, tasks: lab.options.quick ? 120 : 6000, nodeOptions };
  const drain = system === 'a' ? await drainRaw(lab, options) : await drainPlanq(lab, 'none', options);
  lab.say(`${Math.round(ratePerSecond(drain))}/s under the profiler`);
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.cpuprofile'))) {
    const found = JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8')) as CpuProfile;
    process.stdout.write(`${toLines(found).join('\n')}\n`);
  }
}

/** Self time, waiting left out. */
function toLines({ nodes, samples, timeDeltas }: CpuProfile): string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    if (name !== '(idle)' && name !== '(root)') times.set(name, (times.get(name) ?? 0) + (timeDeltas[at] ?? 0));
  }
  const all = [...times.values()].reduce((sum, one) => sum + one, 0);
  const top = [...times].sort(([, a], [, b]) => b - a).slice(0, TOP);
  return top.map(
    ([name, usec]) =>
      `${((usec * 100) / all).toFixed(1).padStart(5)} %  ${(usec / 1000).toFixed(0).padStart(6)} ms  ${name}`,
  );
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const place = url.includes('/node_modules/')
    ? url.replace(/^.*\/node_modules\//, '')
    : url.replace(/^.*\/dist\//, 'planq ');
  return `${name}  ${place}:${lineNumber + 1}`;
}
