/**
 * Which environment variables a plan may set. Those that make a shell, an interpreter, the loader or git run something
 * else than what the plan says are refused, and so are the words that planq itself sets.
 */

import { looksSecret } from '../runtime/secret-names.ts';

export const ENV_NAME_PATTERN = /^[A-Z_][A-Z0-9_]*$/;

const REFUSED_NAMES = new Set(['NODE_OPTIONS', 'BASH_ENV', 'ENV', 'PATH', 'IFS', 'REDIS_URL']);
const REFUSED_PREFIXES = ['LD_', 'DYLD_', 'GIT_', 'PYTHON', 'BASH_FUNC_', 'PLANQ_'];

/**
 * Whether `env` holds a secret's value: the name says so, and the value is a text that is neither a number, a switch nor
 * filled in from the matrix.
 */
export function looksLikeSecret(name: string, value: unknown): boolean {
  if (!looksSecret(name) || typeof value !== 'string' || value === '') return false;
  return !/^(?:[\d.]+|true|false|\$\{\{.*\}\})$/.test(value);
}

/** Why a plan may not set the variable `name`, as the end of a sentence, or null when it may. */
export function refusedEnvName(name: string): string | null {
  if (!ENV_NAME_PATTERN.test(name)) return 'must be written in capitals, digits and underscores';
  if (name === 'REDIS_URL') return 'is the connection of planq itself';
  const prefix = REFUSED_PREFIXES.find((start) => name.startsWith(start));
  if (prefix === 'PLANQ_') return 'is a word that planq sets itself';
  if (prefix !== undefined || REFUSED_NAMES.has(name)) return 'changes which program runs';
  return null;
}
