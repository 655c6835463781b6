/**
 * The handoff: the JSON that a task is given of what came before it and what waits for it.
 */
import { parseDefinition, type TaskDefinition } from '../flows/definition.ts';
import type { JsonValue } from '../plan/plan.ts';
import type { RunContext } from '../producer/submit.ts';
import { type TaskPaths, taskPaths } from '../producer/workspace.ts';
import type { RunRecord } from '../redis/record.ts';
import { toIso } from '../runtime/clock.ts';
import { writeFileAtomic } from '../runtime/files.ts';

export interface Handoff {
  handoff_id: string;
  run_id: string;
  run_name: string;
  to: string;
  attempt: number;
  created_at: string;
  task: {
    id: string;
    title: string;
    prompt: string;
    phase: string;
    stage: number;
    outputs: string[];
    inputs: string[];
    matrix: Record<string, string>;
  };
  /** `next_tasks` are the first hundred. */
  context: { dependencies_completed: Dependency[]; next_tasks: { id: string; title: string }[] };
  /** Of an undo: the task that it takes back, as its run has left it. */
  undo?: Dependency & { run_id: string };
}

interface Dependency {
  id: string;
  title: string;
  state: string;
  output_dir: string;
  outputs: string[];
  /** What it wrote to PLANQ_OUTPUT; empty with `values_file`. */
  values: Record<string, JsonValue>;
  /** Where its values are, when those of all dependencies are too much for a handoff. */
  values_file?: string;
}

/** Most bytes of values in one handoff; the small ones first. */
const VALUES_LIMIT_BYTES = 1024 * 1024;
const NEXT_TASKS = 100;

export interface HandoffInput {
  run: string;
  index: number;
  context: RunContext;
  task: TaskDefinition;
  attempt: number;
  paths: TaskPaths;
  now: number;
}

/** Collects the handoff from the record and writes it. Tasks that need nothing and that nothing waits for cost no look. */
export async function writeHandoff(record: RunRecord, input: HandoffInput): Promise<Handoff> {
  const { run, index, task, context } = input;
  const [needs, dependents] = await Promise.all([
    neighbours(record, run, 'needs', index),
    neighbours(record, run, 'deps', index),
  ]);
  const handoff: Handoff = {
    handoff_id: `${run}.${task.id}.${input.attempt}`,
    run_id: run,
    run_name: context.name,
    to: task.master,
    attempt: input.attempt,
    created_at: toIso(input.now),
    task: {
      id: task.id,
      title: task.title,
      prompt: task.prompt,
      phase: task.phase,
      stage: task.stage,
      outputs: task.outputs.map((file) => file.text),
      inputs: task.inputs.map((file) => file.text),
      matrix: task.matrix,
    },
    context: {
      dependencies_completed: await describeTasks(record, input, needs),
      next_tasks: (await readDefinitions(record, run, dependents.slice(0, NEXT_TASKS))).map(({ id, title }) => ({
        id,
        title,
      })),
    },
  };
  if (task.undoes !== undefined) {
    const { run: origin, index: at } = task.undoes;
    const [undone] = await describeTasks(record, { ...input, run: origin }, [at]);
    if (undone !== undefined) handoff.undo = { run_id: origin, ...undone };
  }
  await writeFileAtomic(input.paths.handoffFile, `${JSON.stringify(handoff, null, 2)}\n`);
  return handoff;
}

async function neighbours(record: RunRecord, run: string, part: 'needs' | 'deps', index: number): Promise<number[]> {
  const [text] = await record.readFields(run, part, [index]);
  return [...(text ?? '').matchAll(/(\d+)[a-z]/g)].map(([, digits]) => Number(digits));
}

async function readDefinitions(record: RunRecord, run: string, indexes: readonly number[]): Promise<TaskDefinition[]> {
  if (indexes.length === 0) return [];
  const texts = await record.readDefs(run, indexes);
  // Gates have no definition.
  return texts.filter((text): text is string => text !== null).map(parseDefinition);
}

async function describeTasks(record: RunRecord, input: HandoffInput, needs: readonly number[]): Promise<Dependency[]> {
  if (needs.length === 0) return [];
  const fitting = chooseFitting(needs, await record.readValueSizes(input.run, needs));
  const [defs, states, texts] = await Promise.all([
    record.readDefs(input.run, needs),
    record.readFields(input.run, 'tasks', needs),
    record.readFields(input.run, 'out', fitting),
  ]);
  const values = new Map(fitting.map((index, at) => [index, texts[at] ?? '{}']));
  return defs.flatMap((text, at) => {
    if (text === null) return [];
    const task = parseDefinition(text);
    const paths = taskPaths(input.context.projectDir, input.context.workspace, task.id);
    const own = values.get(needs[at]!);
    return [
      {
        id: task.id,
        title: task.title,
        state: (JSON.parse(states[at] ?? '{}') as { s?: string }).s ?? 'pending',
        output_dir: paths.outputDir,
        outputs: task.outputs.map((file) => file.text),
        values: JSON.parse(own ?? '{}') as Record<string, JsonValue>,
        ...(own === undefined ? { values_file: paths.outputFile } : {}),
      },
    ];
  });
}

/** Those whose values fit into a handoff together, the smallest first. */
function chooseFitting(needs: readonly number[], sizes: readonly number[]): number[] {
  const order = needs.map((index, at) => ({ index, size: sizes[at] ?? 0 })).sort((a, b) => a.size - b.size);
  const fitting: number[] = [];
  let sum = 0;
  for (const { index, size } of order) {
    sum += size;
    if (sum > VALUES_LIMIT_BYTES) break;
    fitting.push(index);
  }
  return fitting;
}
