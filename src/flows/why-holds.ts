/** Pauses in words. Pure. */
import { toIso } from '../runtime/clock.ts';
import type { HoldFact, Reason } from './why-facts.ts';

/** @returns one reason per pause, with who, when and why */
export function holdReasons({ holds }: { holds: readonly HoldFact[] }): Reason[] {
  return holds.map(({ name, by, at, comment }): Reason => {
    const [what, target] = describeHold(name);
    return {
      code: 'paused',
      message: `${what} is paused by ${by} since ${toIso(at)}${comment === '' ? '' : `: ${comment}`}`,
      clear: 'lift the pause',
      command: `planq resume ${target}`,
    };
  });
}

/** What is held in words, and how it is named on the command line. */
export function describeHold(name: string): [what: string, target: string] {
  const [kind, ...rest] = name.split(':');
  const target = rest.join(':');
  if (kind === 'master') return [`master ${target}`, `--master ${target}`];
  return kind === 'run' ? [`run ${target}`, target] : ['everything', '--all'];
}
