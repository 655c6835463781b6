/**
 * Writes schema/plan.json from the zod schema, for editors. Run with `npx tsx scripts/generate-schema.ts` after a change.
 */

import { fileURLToPath } from 'node:url';
import { planJsonSchema } from '../src/plan/json-schema.ts';
import { writeFileAtomic } from '../src/runtime/files.ts';

const target = fileURLToPath(new URL('../schema/plan.json', import.meta.url));
await writeFileAtomic(target, planJsonSchema());
