/**
 * Plans in YAML or JSON, planq's own format → {@link Draft}. All mistakes of shape are reported, each at its place.
 */
import type { Problem } from '../../runtime/problem.ts';
import { err, ok, type Result } from '../../runtime/result.ts';
import { type Place, problem } from '../codes.ts';
import type { Draft, DraftStage } from '../draft.ts';
import { isAllowable, looksLikeSecret, refusedEnvName } from '../env-names.ts';
import { formatPath, type Mistake, type Path, toMistakes, toProblems } from '../issues.ts';
import { readLimits } from '../read-limits.ts';
import { salvage } from '../salvage.ts';
import { planSchema } from '../schema.ts';
import type { ReadDocument } from './document.ts';
import { type Reading, readTasks } from './yaml-task.ts';

const ALLOW_HINT = 'write it into the command, or let the configuration allow it with "planEnv"';

/**
 * Reads a plan out of a parsed document.
 * @param file as the user gave it
 * @returns the draft with the problems found so far, or the problems alone when nothing of the plan is left to check
 */
export function readPlanDocument(
  document: ReadDocument,
  file: string,
  options: { format: 'yaml' | 'json'; planEnv: readonly string[] },
): Result<Draft, Problem[]> {
  const { value } = document;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return err([
      problem(
        'not-a-plan',
        `"${file}" is not a plan: it must be a mapping with "name" and "tasks"`,
        document.locate([]),
      ),
    ]);
  }
  const parsed = planSchema.safeParse(value);
  const mistakes = parsed.success ? [] : toMistakes(parsed.error.issues, value);
  const problems = [...document.problems, ...toProblems(mistakes, placeOf(document))];
  const rest = parsed.success
    ? { raw: parsed.data, damaged: new Set<string>(), unreadable: new Set<string>() }
    : salvage(value, mistakes);
  if (rest === null) return err(problems);
  const reading: Reading = { document, raw: rest.raw, file, problems, damaged: rest.damaged };
  checkEnvironments(reading, options.planEnv);
  checkSecrets(reading);
  return ok({ ...toDraft(reading, options.format), unreadable: rest.unreadable });
}

function placeOf(document: ReadDocument): (path: Path, code: Mistake['code']) => Place {
  return (path, code) => document.locate(path, code === 'unknown-key' || code === 'bad-id' ? 'key' : 'value');
}

function toDraft(reading: Reading, format: 'yaml' | 'json'): Omit<Draft, 'unreadable'> {
  const { raw, document, problems, file } = reading;
  return {
    name: raw.name,
    description: raw.description ?? '',
    barrier: raw.barrier ?? 'stage',
    ...(raw['on-failure'] === undefined ? {} : { onFailure: raw['on-failure'] }),
    ...(raw['approve-before'] === undefined ? {} : { approvals: raw['approve-before'] }),
    limits: readLimits(raw.limits),
    source: { format, file },
    tasks: readTasks(reading),
    stages: readStages(reading),
    stagesAreBarriers: false,
    place: (...path) => document.locate(path, path[0] === 'limits' ? 'key' : 'value'),
    problems,
  };
}

function readStages({ raw, document }: Reading): DraftStage[] | null {
  if (raw.stages === undefined) return null;
  return raw.stages.map((stage, index) => {
    const isList = Array.isArray(stage);
    const base: Path = ['stages', index, ...(isList ? [] : ['tasks'])];
    return { tasks: (isList ? stage : stage.tasks).map((task, i) => ({ task, place: document.locate([...base, i]) })) };
  });
}

function checkEnvironments({ raw, document, problems }: Reading, allowed: readonly string[]): void {
  const owners: [Path, Record<string, unknown> | undefined][] = [
    [['env'], raw.env],
    [['defaults', 'env'], raw.defaults?.env],
    ...Object.entries(raw.tasks).map(([id, task]): [Path, Record<string, unknown> | undefined] => [
      ['tasks', id, 'env'],
      task.env,
    ]),
  ];
  for (const [path, env] of owners) {
    for (const [name, value] of Object.entries(env ?? {})) {
      const reason = refusedEnvName(name, allowed);
      const place = document.locate([...path, name], 'key');
      if (reason !== null) {
        const hint = isAllowable(name) ? ALLOW_HINT : undefined;
        problems.push(
          problem('refused-env', `"${formatPath(path)}" cannot set "${name}": it ${reason}`, place, { hint }),
        );
      } else if (looksLikeSecret(name, value)) problems.push(secretInEnv(path, name, place));
    }
  }
}

/** The value is not shown: it may be what it looks like. */
function secretInEnv(path: Path, name: string, place: Place): Problem {
  return problem(
    'secret-in-env',
    `"${formatPath(path)}" sets "${name}", which looks like a secret; a plan is stored in Redis and read by many`,
    place,
    {
      severity: 'warning',
      hint: `write "secrets: [${name}]" instead, and give the value to the worker`,
    },
  );
}

function checkSecrets({ raw, document, problems }: Reading): void {
  const owners: [Path, readonly string[]][] = [
    [['secrets'], raw.secrets ?? []],
    ...Object.entries(raw.tasks).map(([id, task]): [Path, readonly string[]] => [
      ['tasks', id, 'secrets'],
      task.secrets ?? [],
    ]),
  ];
  for (const [path, names] of owners) {
    for (const [index, name] of names.entries()) {
      const reason = refusedEnvName(name);
      if (reason === null) continue;
      const message = `"${formatPath(path)}" cannot name "${name}": it ${reason}`;
      problems.push(problem('refused-env', message, document.locate([...path, index])));
    }
  }
}
