/**
 * The plan schema as JSON Schema, for editors: generated, so that it cannot say anything else than what is checked.
 */
import { z } from 'zod';
import { planSchema } from './schema.ts';

/** The text of schema/plan.json. */
export function planJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(planSchema, { io: 'input' });
  return `${JSON.stringify({ $schema, title: 'planq plan', description: 'A graph of tasks that planq runs.', ...schema }, null, 2)}\n`;
}
