/**
 * Which environment variables a plan may set. Those that make a shell, an interpreter, the loader or git run something
 * else than what the plan says are refused unless the configuration allows them; the words that planq itself sets always.
 */

import { looksSecret } from '../runtime/secret-names.ts';

export const ENV_NAME_PATTERN = /^[A-Z_][A-Z0-9_]*$/;

const REFUSED_NAMES = new Set([
  ...['PATH', 'IFS', 'ENV', 'BASH_ENV', 'BASHOPTS', 'SHELLOPTS', 'PS4', 'PROMPT_COMMAND'],
  ...['NODE_OPTIONS', 'NODE_PATH', 'PERL5OPT', 'PERL5LIB', 'RUBYOPT', 'RUBYLIB'],
]);
const REFUSED_PREFIXES = ['LD_', 'DYLD_', 'GIT_', 'PYTHON', 'BASH_FUNC_'];

/**
 * Whether `env` holds a secret's value: the name says so, and the value is a text that is neither a number, a switch nor
 * filled in from the matrix.
 */
export function looksLikeSecret(name: string, value: unknown): boolean {
  if (!looksSecret(name) || typeof value !== 'string' || value === '') return false;
  return !/^(?:[\d.]+|true|false|\$\{\{.*\}\})$/.test(value);
}

/**
 * Why a plan may not set the variable `name`, as the end of a sentence, or null when it may.
 * @param allowed names, or beginnings with `*`, that the configuration lets plans set
 */
export function refusedEnvName(name: string, allowed: readonly string[] = []): string | null {
  if (!ENV_NAME_PATTERN.test(name)) return 'must be written in capitals, digits and underscores';
  if (name === 'REDIS_URL') return 'is the connection of planq itself';
  if (name.startsWith('PLANQ_')) return 'is a word that planq sets itself';
  if (allowed.some((pattern) => matchesName(name, pattern))) return null;
  const isRefused = REFUSED_NAMES.has(name) || REFUSED_PREFIXES.some((start) => name.startsWith(start));
  return isRefused ? 'changes which program runs' : null;
}

/** Whether the configuration could allow a refused name. */
export function isAllowable(name: string): boolean {
  return ENV_NAME_PATTERN.test(name) && name !== 'REDIS_URL' && !name.startsWith('PLANQ_');
}

/** True when `pattern` is the name, or ends in `*` and the name begins as it does. */
export function matchesName(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
