/** (i) what the command costs before it has done anything, against Node that does nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { authentication, layered } from '../plans.ts';
import { atMost, type Row, row, type Target } from '../rows.ts';
import { openStanding } from '../standing.ts';
import { median } from '../statistics.ts';
import type { PartFile } from './part.ts';

const MAIN = path.join(import.meta.dirname, '../../dist/bin/planq.cjs');

interface Command {
  id: string;
  what: string;
  argv: readonly string[];
  target?: Target;
}

export const cli: PartFile = {
  parts: ['i'],
  measure: async (lab) => {
    const standing = await openStanding(lab);
    const { run } = await standing.run(authentication('stage'));
    const { projectDir, prefix } = standing.planq;
    const size = lab.options.quick ? 100 : 1000;
    const file = path.join(projectDir, 'large.json');
    writeFileSync(file, JSON.stringify(layered(size)));
    const commands: Command[] = [
      { id: 'bare', what: '`node -e 0`', argv: ['-e', '0'] },
      { id: 'version', what: '`planq --version`', argv: [MAIN, '--version'], target: atMost(1.3) },
      { id: 'status', what: '`planq status` of a run', argv: [MAIN, 'status', run], target: atMost(2.5) },
      { id: 'validate', what: `\`planq validate\` of ${size} tasks`, argv: [MAIN, 'validate', file] },
    ];
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      // What Node has compiled is kept, as everywhere, but not where the user's is.
      XDG_CACHE_HOME: path.join(projectDir, 'caches'),
      REDIS_URL: lab.server.socket,
      PLANQ_PREFIX: prefix,
    };
    const times = new Map<string, number[]>(commands.map(({ id }) => [id, []]));
    for (let at = 0; at <= (lab.options.quick ? 2 : 20); at++) {
      for (const { id, argv } of commands) {
        const ms = await timed(argv, projectDir, env);
        // The first time files are read from the disk, and compiled.
        if (at > 0) times.get(id)!.push(ms);
      }
    }
    await standing.end();
    const rows = commands.flatMap((command) => toRows(command, times.get(command.id)!, times.get('bare')!));
    for (const { what, value } of rows) lab.say(`${what}: ${value}`);
    return { rows };
  },
};

function toRows({ id, what, target }: Command, times: number[], bare: number[]): Row[] {
  const total = row({ part: 'i', id: `${id}-time`, what: `${what}: time, median`, value: median(times), unit: 'ms' });
  if (id === 'bare') return [total];
  const ratios = times.map((ms, at) => ms / bare[at]!);
  const against = {
    part: 'i' as const,
    id: `${id}-ratio`,
    what: `${what}: against \`node -e 0\``,
    value: median(ratios),
    unit: 'ratio' as const,
    rounds: ratios,
  };
  return [total, row(target === undefined ? against : { ...against, target })];
}

async function timed(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const beganAt = performance.now();
  const child = spawn(process.execPath, argv, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}`);
  return performance.now() - beganAt;
}
