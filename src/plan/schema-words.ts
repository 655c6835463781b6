/**
 * The small words of the plan schema: ids, names, texts, durations. Messages are the end of a sentence that begins with the
 * field's name ("… must be …"); `issues.ts` writes the beginning.
 */
import { z } from 'zod';
import { parseDuration } from '../runtime/duration.ts';
import { parseSize } from '../runtime/size.ts';
import { ENV_NAME_PATTERN } from './env-names.ts';
import { parseEstimateText } from './estimate-text.ts';
import {
  isName,
  isResourceName,
  isTaskId,
  MAX_NAME,
  MAX_TASK_ID,
  NAME_PATTERN,
  PHASE_PATTERN,
  RESOURCE_PATTERN,
  stripPhaseNumber,
  TASK_ID_PATTERN,
} from './names.ts';

const MAX_TEXT = 200_000;
const NAME_RULE = `must be lower-case letters, digits, "-" and "_", at most ${MAX_NAME} characters`;

/** Text that can travel by argv, file or environment. */
export const text = z
  .string({ error: 'must be text' })
  .max(MAX_TEXT, { error: `must be at most ${MAX_TEXT} characters` })
  .refine((value) => !value.includes('\0'), { error: 'must not hold a NUL character' });

export const taskId = z
  .string()
  .min(1)
  .max(MAX_TASK_ID, { error: `must be at most ${MAX_TASK_ID} characters` })
  .regex(TASK_ID_PATTERN, {
    error: 'must be letters, digits, ".", "_", "-" and "/", and begin with a letter or digit',
  })
  .refine(isTaskId, { error: 'must not have an empty, "." or ".." part, nor be a word that every object has' });

export const masterName = z
  .string({ error: NAME_RULE })
  .regex(NAME_PATTERN, { error: NAME_RULE })
  .refine(isName, { error: NAME_RULE });

export const phaseName = z
  .string({ error: NAME_RULE })
  .regex(PHASE_PATTERN, { error: NAME_RULE })
  .refine((value) => isName(stripPhaseNumber(value)), { error: NAME_RULE });

export const resourceName = z
  .string()
  .regex(RESOURCE_PATTERN, { error: 'must be letters, digits, ".", "_", "-", ":" and "/"' })
  .refine(isResourceName, { error: `must be at most ${MAX_NAME} characters and no word that every object has` });

export const capacity = z.int({ error: 'must be a whole number' }).min(1, { error: 'must be at least 1' });

/** A shell line (run by `sh -c`) or a program with its arguments. */
export const command = z.union(
  [text.min(1, { error: 'must not be empty' }), z.array(text).min(1, { error: 'must not be empty' })],
  {
    error: 'must be a shell line or a list of words',
  },
);

/** As {@link command}, and nothing blank: it is not looked at again until it is needed badly. */
export const undoCommand = z.union(
  [
    text.regex(/\S/, { error: 'must not be empty' }),
    z
      .array(text)
      .min(1, { error: 'must not be empty' })
      .refine(([program = 'none']) => program.trim() !== '', { error: 'must not begin with an empty word' }),
  ],
  { error: 'must be a shell line or a list of words' },
);

const COMMANDS_NEED_UNITS = 'must be a duration with its unit, such as 90s, 30m or 1h30m';

/** A duration with units; see `runtime/duration.ts`. */
export const duration = z.string({ error: COMMANDS_NEED_UNITS }).superRefine((value, context) => {
  const parsed = parseDuration(value);
  if (parsed.ok && parsed.value > 0) return;
  context.addIssue({ code: 'custom', message: `${COMMANDS_NEED_UNITS}, but is "${value}"` });
});

const SIZE_RULE = 'must be a size with its unit, such as 500MB or 4GB';

/** A size with its unit; see `runtime/size.ts`. */
export const size = z.string({ error: SIZE_RULE }).superRefine((value, context) => {
  const parsed = parseSize(value);
  if (parsed.ok && parsed.value > 0) return;
  context.addIssue({ code: 'custom', message: `${SIZE_RULE}, but is "${value}"` });
});

/** An estimate in words, such as `4-6 hours`; see `estimate-text.ts`. */
export const estimateText = z.string().superRefine((value, context) => {
  const parsed = parseEstimateText(value);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error });
});

/** Names of secrets, for the environment of a task; values come from the worker. */
export const secretNames = z.array(
  z.string().regex(ENV_NAME_PATTERN, { error: 'must be written in capitals, digits and underscores' }),
  { error: 'must be a list of names; the values come from the worker' },
);

/** Environment variables; which names are refused is checked with their place, in `validate-env.ts`. */
export const environment = z.record(
  z.string().regex(ENV_NAME_PATTERN, { error: 'must be written in capitals, digits and underscores' }),
  z.union([text, z.number(), z.boolean()], { error: 'must be text, a number or true/false' }),
);
