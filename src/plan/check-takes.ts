/**
 * Resources: what tasks take has a capacity and fits into it; limits limit something.
 */
import { nearestWord } from '../runtime/nearest.ts';
import type { Problem } from '../runtime/problem.ts';
import { didYouMean, type Place, problem } from './codes.ts';
import type { Draft, DraftTask } from './draft.ts';
import { createSuggester } from './suggest.ts';
import type { ValidateOptions } from './validate-options.ts';

/** Checks what every task takes. The configuration's capacities come before the plan's. */
export function checkTakes(draft: Draft, options: ValidateOptions): Problem[] {
  const capacities = new Map([...Object.entries(draft.limits.resources), ...Object.entries(options.resources)]);
  const suggest = createSuggester(capacities.keys());
  const seen = new Set<string>();
  return draft.tasks.flatMap((one) => {
    if (seen.has(one.name)) return [];
    seen.add(one.name);
    return Object.entries(one.task.takes).flatMap(([resource, amount]) => {
      const capacity = capacities.get(resource);
      return capacity === undefined
        ? [unknownResource(one, resource, suggest)]
        : checkAmount(one, resource, amount, capacity);
    });
  });
}

function unknownResource(one: DraftTask, resource: string, suggest: (word: string) => string | undefined): Problem {
  const isAgents = resource === 'agents';
  const hint = isAgents
    ? 'every task takes one agent by itself'
    : (suggest(resource) ?? `give it a capacity: limits: { ${resource}: 1 }`);
  const message = `task "${one.name}" takes "${resource}", which has no capacity`;
  return problem('unknown-resource', message, one.place('takes', resource), { hint });
}

function checkAmount(one: DraftTask, resource: string, amount: number, capacity: number): Problem[] {
  if (amount <= capacity) return [];
  const message = `task "${one.name}" takes ${amount} of "${resource}", there are ${capacity}`;
  return [problem('takes-too-much', message, one.place('takes', resource))];
}

/** Warns of limits that no task has to do with, which most often are slips of the pen. */
export function checkLimits(draft: Draft, options: ValidateOptions): Problem[] {
  const { limits, tasks, place } = draft;
  const taken = new Set(tasks.flatMap(({ task }) => Object.keys(task.takes)));
  const shadowed = Object.keys(limits.resources)
    .filter((name) => Object.hasOwn(options.resources, name))
    .map((name) =>
      problem(
        'shadowed-limit',
        `the capacity of "${name}" comes from the configuration (${options.resources[name]}), not from the plan`,
        place('limits', name),
        { severity: 'note' },
      ),
    );
  return [
    ...unused('phase', limits.phases, new Set(tasks.map(({ task }) => task.phase)), (name) =>
      place('limits', 'phases', name),
    ),
    ...unused('master', limits.masters, new Set(tasks.map(({ task }) => task.master)), (name) =>
      place('limits', 'masters', name),
    ),
    ...unused('resource', limits.resources, taken, (name) => place('limits', name), [
      'agents',
      'phases',
      'masters',
      'resources',
    ]),
    ...shadowed,
  ];
}

function unused(
  kind: string,
  limits: Record<string, number>,
  used: ReadonlySet<string>,
  place: (name: string) => Place,
  words: string[] = [],
): Problem[] {
  return Object.keys(limits)
    .filter((name) => !used.has(name))
    .map((name) => {
      const hint = didYouMean(nearestWord(name, [...words, ...used]));
      return problem('unused-limit', `"limits" name the ${kind} "${name}", which no task has`, place(name), {
        severity: 'warning',
        hint,
      });
    });
}
