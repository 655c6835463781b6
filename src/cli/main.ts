#!/usr/bin/env node
/**
 * The `planq` command. The version is told at once: much asks for it, and nothing else of planq is needed for it. Commander
 * knows it too, for all other ways to ask.
 */
import { readVersion } from '../runtime/version.ts';

const [first, ...others] = process.argv.slice(2);
if (others.length === 0 && (first === '--version' || first === '-V')) process.stdout.write(`${readVersion()}\n`);
else void import('./start.ts');
