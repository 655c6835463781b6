/**
 * The truth for YAML and JSON plans: what a document may say. `schema/plan.json` is generated from it for editors.
 */
import { z } from 'zod';
import { defaultsSchema, taskSchema } from './schema-task.ts';
import { capacity, environment, masterName, phaseName, secretNames, taskId, text } from './schema-words.ts';

/** Most tasks of one plan, after matrix expansion. */
export const MAX_TASKS = 10_000;

const limits = z
  .object({
    agents: capacity.optional().describe('Most agents of this run at once.'),
    phases: z.record(phaseName, capacity).optional().describe('Most tasks of a phase at once.'),
    masters: z.record(masterName, capacity).optional().describe('Most tasks of a master at once, over all runs.'),
    resources: z.record(z.string(), capacity).optional().describe('Capacity of resources that tasks take.'),
  })
  .catchall(capacity);

const stage = z.union(
  [
    z.array(text),
    z.strictObject({
      name: text.optional().describe('For people.'),
      tasks: z.array(text).describe('Ids of the tasks of this stage.'),
    }),
  ],
  { error: 'must be a list of task ids, or a mapping with "tasks"' },
);

export const planSchema = z.strictObject({
  name: text
    .min(1, { error: 'must not be empty' })
    .max(200, { error: 'must be at most 200 characters' })
    .describe('What the plan is called.'),
  description: text.optional().describe('What the plan is for.'),
  barrier: z
    .enum(['stage', 'phase', 'none'])
    .optional()
    .describe('stage (default): a stage waits for all before it. phase: a phase does. none: only needs count.'),
  stages: z.array(stage).optional().describe('The stages in order, every task once. Default: the levels of the graph.'),
  'on-failure': z
    .enum(['block', 'continue', 'cancel'])
    .optional()
    .describe(
      'block (default): what needs a failed task waits for a person. continue: the run ends without it, as failed. cancel: the rest is stopped.',
    ),
  'approve-before': z
    .array(z.union([z.int().min(2), text]))
    .optional()
    .describe('Stages (from 2 on) or, with barrier phase, phases that open only after `planq approve`.'),
  limits: limits.optional().describe('How much may run at once; further names are resources, such as gpu: 2.'),
  env: environment.optional().describe('Environment variables of every task.'),
  secrets: secretNames.optional().describe('Names of secrets for every task; the values come from the worker.'),
  defaults: defaultsSchema.optional().describe('Values for tasks that do not say otherwise.'),
  tasks: z.record(taskId, taskSchema).describe('The tasks by id, at most 10,000.'),
});

/** A plan as a document says it: shapes are right, references are not checked. */
export type RawPlan = z.infer<typeof planSchema>;
