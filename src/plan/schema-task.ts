/**
 * The zod schema of one task, and of `defaults`. Shapes only, no transforms, so that the published JSON Schema says the same.
 */
import { z } from 'zod';
import { MATRIX_KEY_PATTERN } from './names.ts';
import {
  capacity,
  command,
  duration,
  environment,
  estimateText,
  masterName,
  phaseName,
  resourceName,
  secretNames,
  size,
  text,
  undoCommand,
} from './schema-words.ts';

const needEntry = z.union(
  [
    text,
    z.strictObject({
      task: text.describe('Id of the task that is waited for.'),
      when: z
        .enum(['success', 'done', 'failed'])
        .optional()
        .describe(
          'success (default): it completed. done: it ended in whatever way. failed: it failed or could not run.',
        ),
    }),
  ],
  { error: 'must be a task id or a mapping with "task" and "when"' },
);

const needs = z.union([needEntry, z.array(needEntry)], {
  error: 'must be a task id, a mapping with "task" and "when", or a list of them',
});

const amount = z.number({ error: 'must be a number' }).nonnegative({ error: 'must not be negative' });
const range = z.union([amount, z.tuple([amount, amount]), z.string()], {
  error: 'must be a number, a list of two numbers or text such as "20-30"',
});

const estimate = z.union(
  [
    estimateText,
    z.strictObject({
      minutes: range.optional().describe('Work time in minutes: one number, [low, high] or "20-30".'),
      hours: range.optional().describe('Work time in hours, instead of minutes.'),
      tokens: z.int().min(0).optional().describe('Tokens that the agent will use.'),
    }),
  ],
  { error: 'must be text such as "4-6 hours" or a mapping with minutes or hours' },
);

const scalar = z.union([text, z.number(), z.boolean()], { error: 'must be text, a number or true/false' });
const MATRIX_KEY_RULE = 'must be named with letters, digits, "_" and "-"';
const matrixKey = z.string().regex(MATRIX_KEY_PATTERN, { error: MATRIX_KEY_RULE });
const combination = z.record(matrixKey, scalar);

const matrix = z
  .object({
    include: z.array(combination).optional().describe('Combinations to add or to extend.'),
    exclude: z.array(combination).optional().describe('Combinations to leave out; a part of one is enough.'),
  })
  .catchall(z.array(scalar, { error: 'must be a list of values' }))
  // An axis becomes the name of a variable.
  .superRefine((value, context) => {
    for (const key of Object.keys(value).filter((one) => !MATRIX_KEY_PATTERN.test(one)))
      context.addIssue({ code: 'custom', path: [key], message: MATRIX_KEY_RULE });
  });

const takes = z.union([z.record(resourceName, capacity), z.array(resourceName)], {
  error: 'must be a mapping of resource to amount, or a list of resources',
});

const resources = z.strictObject({
  cpus: z
    .number({ error: 'must be a number' })
    .positive({ error: 'must be above 0' })
    .max(10_000, { error: 'must be at most 10000' })
    .optional()
    .describe("Processors, may be a fraction. Default: the configuration's, 4."),
  memory: size.optional().describe("Memory, such as 4GB. Default: the configuration's, 8GB."),
});

export const priority = z.enum(['critical', 'high', 'medium', 'low']);

const withOptions = z.record(z.string(), z.json());

export const defaultsSchema = z.strictObject({
  agent: z.string().optional().describe('Kind of agent of tasks that name neither run nor agent.'),
  run: command.optional().describe('Command of tasks that name neither run nor agent.'),
  with: withOptions.optional().describe("Options for the defaults' agent; a task's own options win."),
  master: masterName.optional().describe('Master of tasks that name none. Default: development.'),
  phase: phaseName.optional().describe('Phase of tasks that name none. Default: implementation.'),
  timeout: duration.optional().describe('Longest time of one attempt, such as 30m.'),
  retries: z.int().min(0).max(100).optional().describe('Further attempts after the first. Default: 2.'),
  env: environment.optional().describe('Environment variables of every task.'),
  priority: priority.optional().describe('Default: medium.'),
});

export const taskSchema = z.strictObject({
  title: text.optional().describe('One line for people. Default: the id.'),
  description: text.optional().describe('What the task is; told to the agent when there is no prompt.'),
  prompt: text.optional().describe('What the agent is told.'),
  master: masterName.optional().describe('The specialist that does it; one queue each. Default: development.'),
  phase: phaseName.optional().describe('Kind of work; carries limits and timeouts. Default: implementation.'),
  needs: needs.optional().describe('Tasks that must have ended before.'),
  run: command.optional().describe('A shell line, or a program and its arguments as a list.'),
  agent: z.string().optional().describe('Kind of agent, when it is not a command.'),
  with: withOptions.optional().describe('Options for the agent, checked by its kind.'),
  env: environment.optional().describe('Environment variables of this task.'),
  secrets: secretNames.optional().describe('Names of secrets that the worker puts into its environment; never values.'),
  inputs: z.array(text).optional().describe('Files it reads: project paths or <task id>/<output>.'),
  outputs: z.array(text).optional().describe('Files it must leave behind; bare names lie in its output folder.'),
  check: command.optional().describe('A command that must exit 0 after the outputs were found.'),
  takes: takes.optional().describe('Limited resources that it holds while it runs.'),
  resources: resources.optional().describe('Most that its agent may use of the machine.'),
  priority: priority.optional().describe('Order among tasks that are ready. Default: medium.'),
  estimate: estimate.optional().describe('How long the work takes.'),
  timeout: duration.optional().describe("Longest time of one attempt, such as 30m. Default: the phase's."),
  retries: z.int().min(0).max(100).optional().describe('Further attempts after the first. Default: 2.'),
  'continue-on-error': z.boolean().optional().describe('A failure of this task does not block those that need it.'),
  approval: z.boolean().optional().describe('Waits for `planq approve` before it starts.'),
  undo: undoCommand.optional().describe('A command that takes back what the task did, for `planq cancel --undo`.'),
  matrix: matrix.optional().describe('Makes one task of every combination of the values.'),
  files: z.array(text).optional().describe('Files it will touch; more than 3 is a warning.'),
});

export type RawTask = z.infer<typeof taskSchema>;
export type RawDefaults = z.infer<typeof defaultsSchema>;
export type RawMatrix = z.infer<typeof matrix>;
