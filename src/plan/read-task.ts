/**
 * One task of a YAML or JSON plan → {@link Task} with the defaults filled in. Pure; what is wrong is told through `report`.
 */
import { parseDuration } from '../runtime/duration.ts';
import type { Result } from '../runtime/result.ts';
import { parseSize } from '../runtime/size.ts';
import type { ProblemCode } from './codes.ts';
import { parseEstimateText, toRange } from './estimate-text.ts';
import { matrixEnv } from './matrix-text.ts';
import { stripPhaseNumber } from './names.ts';
import { type PathMistake, readInput, readOutput } from './paths.ts';
import {
  DEFAULT_ESTIMATE_MINUTES,
  type Estimate,
  type FileRef,
  type JsonValue,
  type SourcePlace,
  type Task,
} from './plan.ts';
import type { RawDefaults, RawTask } from './schema-task.ts';

export interface TaskContext {
  defaults: RawDefaults;
  /** `env` of the plan. */
  planEnv: Record<string, string | number | boolean>;
  /** `secrets` of the plan. */
  planSecrets: readonly string[];
  /** Values of this variant; empty without a matrix. */
  combination: Record<string, string>;
  source: SourcePlace;
  /** Told of each mistake: the field, the index within it, and the whole sentence. */
  report(code: ProblemCode, field: string, index: number | undefined, message: string): void;
}

/** Attempts of a task that does not say how often to retry. */
export const DEFAULT_ATTEMPTS = 3;

/** For an estimate that only counts tokens. */
const ASSUMED = { minMinutes: DEFAULT_ESTIMATE_MINUTES, maxMinutes: DEFAULT_ESTIMATE_MINUTES };

/** Reads a task whose shape is right. `needs` is left empty: needs are references, and resolved later. */
export function readTask(id: string, raw: RawTask, context: TaskContext): Task {
  const { defaults } = context;
  return {
    id,
    title: raw.title ?? id,
    prompt: raw.prompt ?? raw.description ?? '',
    master: raw.master ?? defaults.master ?? 'development',
    phase: stripPhaseNumber(raw.phase ?? defaults.phase ?? 'implementation'),
    needs: [],
    ...readAgent(id, raw, context),
    env: toEnv({ ...context.planEnv, ...defaults.env, ...matrixEnv(context.combination), ...raw.env }),
    ...readSecrets([...context.planSecrets, ...(raw.secrets ?? [])]),
    inputs: readPaths(raw.inputs, (text) => readInput(text, id, null), context, 'inputs'),
    outputs: readPaths(raw.outputs, readOutput, context, 'outputs'),
    check: raw.check ?? null,
    takes: readTakes(raw.takes),
    cpus: raw.resources?.cpus ?? null,
    memoryBytes: raw.resources?.memory === undefined ? null : valueOr(parseSize(raw.resources.memory), null),
    priority: raw.priority ?? defaults.priority ?? 'medium',
    estimate: readEstimate(raw.estimate, context, id),
    timeoutMs: toMs(raw.timeout ?? defaults.timeout),
    attempts: 1 + (raw.retries ?? defaults.retries ?? DEFAULT_ATTEMPTS - 1),
    continueOnError: raw['continue-on-error'] ?? false,
    ...(raw.approval === true ? { approval: true } : {}),
    ...(raw.undo === undefined ? {} : { undo: raw.undo }),
    matrix: context.combination,
    source: context.source,
  };
}

/** `run` means the agent `command`; what a task says itself comes before what the defaults say. */
function readAgent(id: string, raw: RawTask, context: TaskContext): Pick<Task, 'agent' | 'run' | 'with'> {
  const { defaults } = context;
  const isOwn = raw.run !== undefined || raw.agent !== undefined;
  const chosen = isOwn ? raw : defaults;
  const agent = chosen.run === undefined ? (chosen.agent ?? null) : 'command';
  if (chosen.run !== undefined && chosen.agent !== undefined && chosen.agent !== 'command') {
    const owner = isOwn ? `task "${id}" has` : '"defaults" have';
    context.report(
      'run-and-agent',
      'agent',
      undefined,
      `${owner} both "run" and the agent "${chosen.agent}": leave one out`,
    );
  }
  const defaultAgent = defaults.run === undefined ? defaults.agent : 'command';
  // The defaults' options are meant for the defaults' agent; another kind would refuse them.
  const inherited = defaultAgent === undefined || defaultAgent === agent ? defaults.with : undefined;
  const run = chosen.run ?? (agent === 'command' ? defaults.run : undefined) ?? null;
  return { agent, run, with: { ...inherited, ...raw.with } as Record<string, JsonValue> };
}

function readSecrets(names: readonly string[]): Pick<Task, 'secrets'> {
  return names.length === 0 ? {} : { secrets: [...new Set(names)] };
}

function readPaths(
  texts: string[] | undefined,
  read: (text: string) => Result<FileRef, PathMistake>,
  context: TaskContext,
  field: string,
): FileRef[] {
  return (texts ?? []).flatMap((text, index) => {
    const result = read(text);
    if (result.ok) return [result.value];
    const { code, message } = result.error;
    context.report(
      code,
      field,
      index,
      `${field === 'inputs' ? 'input' : 'output'} "${text.replaceAll('\0', '\\0')}" ${message}`,
    );
    return [];
  });
}

function readTakes(takes: RawTask['takes']): Record<string, number> {
  if (takes === undefined) return {};
  return Array.isArray(takes) ? Object.fromEntries(takes.map((name) => [name, 1])) : { ...takes };
}

function readEstimate(estimate: RawTask['estimate'], context: TaskContext, id: string): Estimate | null {
  if (estimate === undefined) return null;
  if (typeof estimate === 'string') return valueOr(parseEstimateText(estimate), null);
  const { minutes, hours, tokens } = estimate;
  const range = minutes ?? hours;
  const extra = tokens === undefined ? {} : { tokens };
  if (range === undefined) return tokens === undefined ? null : { ...ASSUMED, ...extra };
  const unit = minutes === undefined ? 60 : 1;
  const read =
    typeof range === 'string' ? parseEstimateText(range, unit) : toRange(String(range), ...bounds(range, unit));
  if (read.ok) return { ...read.value, ...extra };
  context.report('bad-value', 'estimate', undefined, `"estimate" of task "${id}" ${read.error}`);
  return null;
}

function bounds(range: number | [number, number], unit: number): [number, number] {
  return typeof range === 'number' ? [range * unit, range * unit] : [range[0] * unit, range[1] * unit];
}

function toMs(text: string | undefined): number | null {
  return text === undefined ? null : valueOr(parseDuration(text), null);
}

function toEnv(env: Record<string, string | number | boolean>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
}

function valueOr<T, E>(result: Result<T, E>, fallback: T | null): T | null {
  return result.ok ? result.value : fallback;
}
