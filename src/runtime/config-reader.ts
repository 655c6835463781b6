/**
 * Reads the config file's object key by key. Which keys there are and what their values look like stands here; what they
 * mean, and their defaults, in `config.ts`.
 */
import { parseDuration } from './duration.ts';
import { nearestWord } from './nearest.ts';
import type { Problem } from './problem.ts';
import { parseSize } from './size.ts';

/** Gives the value of a dotted key; undefined when it is not given or not what it must be. */
export interface ConfigReader {
  text(key: string): string | undefined;
  flag(key: string): boolean | undefined;
  count(key: string): number | undefined;
  counts(key: string): Record<string, number>;
  /** Above 0, may be a fraction. */
  amount(key: string): number | undefined;
  /** Bytes. */
  size(key: string): number | undefined;
  word<W extends string>(key: string, words: readonly W[]): W | undefined;
  duration(key: string): number | undefined;
  words(key: string): string[];
  /** Whether the key is switched off: `"off"` or `false`. Such a value counts as not given elsewhere. */
  isOff(key: string): boolean;
  /** An object of texts that are not empty. */
  texts(key: string): Record<string, string>;
  refuseUnknown(): void;
}

const KNOWN_KEYS: Record<string, readonly string[]> = {
  '': [
    'redis',
    'prefix',
    'volatile',
    'workspace',
    'agent',
    'limits',
    'isolation',
    'concurrency',
    'replicas',
    'queueEvents',
    'passEnv',
    'keep',
    'notify',
    'planEnv',
    'secretFiles',
    'times',
    '$schema',
  ],
  limits: ['agents', 'phases', 'masters', 'resources', 'cpusPerAgent', 'memoryPerAgent'],
  keep: ['completed', 'failed', 'cancelled', 'runs'],
  times: ['lock', 'grace', 'drain', 'zombie', 'backoff'],
};

/** Reads dotted keys out of the file's object; a value of the wrong kind becomes a problem and counts as not given. */
export function createConfigReader(root: Record<string, unknown>, file: string, problems: Problem[]): ConfigReader {
  const find = (key: string): unknown =>
    key
      .split('.')
      .reduce<unknown>(
        (value, part) =>
          typeof value === 'object' && value !== null && Object.hasOwn(value, part)
            ? (value as Record<string, unknown>)[part]
            : undefined,
        root,
      );
  const wrong = (key: string, expected: string): undefined => {
    const message = `"${key}" must be ${expected}${canBeOff(key) ? ', or "off"' : ''}`;
    problems.push({ code: 'bad-value', severity: 'error', message, file, path: key });
    return undefined;
  };
  const isOff = (key: string): boolean => canBeOff(key) && ['off', false].includes(find(key) as string | false);
  const read = <T>(key: string, expected: string, test: (value: unknown) => value is T): T | undefined => {
    const value = find(key);
    if (value === undefined || isOff(key)) return undefined;
    return test(value) ? value : wrong(key, expected);
  };
  const isCount = (value: unknown): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
  return {
    text: (key) => read(key, 'text', (value): value is string => typeof value === 'string'),
    flag: (key) => read(key, 'true or false', (value): value is boolean => typeof value === 'boolean'),
    count: (key) => read(key, 'a whole number, 1 or more', isCount),
    counts: (key) =>
      read(
        key,
        'an object of whole numbers, 1 or more, under names that are no words of every object',
        (value): value is Record<string, number> =>
          isObject(value) && Object.values(value).every(isCount) && !Object.keys(value).some((name) => name in {}),
      ) ?? {},
    amount: (key) =>
      read(
        key,
        'a number above 0',
        (value): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0,
      ),
    size: (key) => {
      const text = read(key, 'a size such as "8GB"', (value): value is string => typeof value === 'string');
      if (text === undefined) return undefined;
      const parsed = parseSize(text);
      return parsed.ok && parsed.value > 0 ? parsed.value : wrong(key, 'a size such as "8GB"');
    },
    word: <W extends string>(key: string, words: readonly W[]) =>
      read(key, words.map((one) => `"${one}"`).join(', '), (value): value is W => words.some((one) => one === value)),
    duration: (key) => {
      const text = read(key, 'a duration such as "30s"', (value): value is string => typeof value === 'string');
      if (text === undefined) return undefined;
      const parsed = parseDuration(text);
      return parsed.ok ? parsed.value : wrong(key, 'a duration such as "30s"');
    },
    words: (key) =>
      read(
        key,
        'a list of names',
        (value): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
      ) ?? [],
    isOff,
    texts: (key) =>
      read(
        key,
        'an object of names and texts',
        (value): value is Record<string, string> =>
          isObject(value) && Object.values(value).every((item) => typeof item === 'string' && item !== ''),
      ) ?? {},
    refuseUnknown: () => {
      for (const [parent, known] of Object.entries(KNOWN_KEYS)) {
        const value = parent === '' ? root : find(parent);
        if (value === undefined || isOff(parent)) continue;
        if (!isObject(value)) {
          wrong(parent, 'an object');
          continue;
        }
        for (const key of Object.keys(value)) {
          if (known.includes(key)) continue;
          const near = nearestWord(key, known);
          problems.push({
            code: 'unknown-key',
            severity: 'error',
            message: `unknown key "${parent === '' ? key : `${parent}.${key}`}"`,
            ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
            file,
          });
        }
      }
    },
  };
}

function canBeOff(key: string): boolean {
  return /^keep\b/.test(key);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
