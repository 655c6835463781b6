/**
 * Which keys the plan schema knows at a path, to suggest the nearest one for a key that it does not know.
 */
import { planSchema } from './schema.ts';
import { defaultsSchema, taskSchema } from './schema-task.ts';

type Path = readonly (string | number)[];

const SHAPES: [RegExp, readonly string[]][] = [
  [/^$/, Object.keys(planSchema.shape)],
  [/^defaults$/, Object.keys(defaultsSchema.shape)],
  [/^tasks\/[^\n]+\nneeds/, ['task', 'when']],
  [/^tasks\/[^\n]+\nestimate$/, ['minutes', 'hours', 'tokens']],
  [/^tasks\/[^\n]+\nresources$/, ['cpus', 'memory']],
  [/^tasks\/[^\n]+$/, Object.keys(taskSchema.shape)],
  [/^stages/, ['name', 'tasks']],
];

/** Words that other tools use for one of ours; too far apart to be found by spelling. */
const SYNONYMS: Record<string, string> = {
  depends_on: 'needs',
  dependencies: 'needs',
  cmd: 'run',
  command: 'run',
  script: 'run',
  steps: 'run',
  jobs: 'tasks',
  services: 'tasks',
  environment: 'env',
  'timeout-minutes': 'timeout',
  artifacts: 'outputs',
  strategy: 'matrix',
  concurrency: 'limits',
  allow_failure: 'continue-on-error',
  phases: 'phase',
};

/** The keys that the schema knows in the mapping at `path`. */
export function knownKeys(path: Path): readonly string[] {
  const [first, second, ...rest] = path.map(String);
  const words = first === 'tasks' && second !== undefined ? [`tasks/${second}`, ...rest].join('\n') : path.join('\n');
  return SHAPES.find(([pattern]) => pattern.test(words))?.[1] ?? [];
}

/** Our word for another tool's `key`, when the mapping at `path` has it. */
export function synonymOf(key: string, path: Path): string | undefined {
  const word = Object.hasOwn(SYNONYMS, key) ? SYNONYMS[key] : undefined;
  return word !== undefined && knownKeys(path).includes(word) ? word : undefined;
}
