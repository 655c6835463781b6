/**
 * `npm run test:faults [-- --nightly] [-- R3 R5]`: the promises of docs/promises.md, tried on real processes.
 */
import process from 'node:process';
import { startVitest } from 'vitest/node';

const words = process.argv.slice(2);
const names = words.filter((word) => !word.startsWith('--'));
process.env.PLANQ_SEED ??= String(Math.floor(Math.random() * 1_000_000));
if (words.includes('--nightly')) process.env.PLANQ_NIGHTLY = '1';
const filters = names.map((name) => `/${name.toLowerCase()}-`);
const vitest = await startVitest('test', filters, { config: 'vitest.faults.config.ts', watch: false });
await vitest.close();
