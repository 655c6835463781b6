/**
 * The rules of the house as functions of source text: who may import whom, what is read in one place only, how long a
 * file may be. `test/architecture.test.ts` applies them to src/ and proves that they can fail.
 */
import path from 'node:path';
import { readSource, type SourceText } from './source-text.ts';

export interface SourceFile {
  /** Relative to src/, with forward slashes: `plan/graph.ts`. */
  name: string;
  text: string;
}

export interface Import {
  /** As written. */
  specifier: string;
  line: number;
}

/**
 * Which rooms each room may import, besides itself. The order is from the ground up, and nothing may import upwards.
 * `control` reaches the producer because a retry adds ready tasks to the queues.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  plan: ['runtime'],
  events: ['plan', 'runtime'],
  redis: ['runtime'],
  flows: ['plan', 'runtime'],
  resources: ['plan', 'redis', 'events', 'runtime'],
  agents: ['plan', 'events', 'runtime'],
  producer: ['flows', 'plan', 'redis', 'events', 'runtime'],
  notify: ['agents', 'producer', 'flows', 'plan', 'redis', 'events', 'runtime'],
  workers: ['notify', 'agents', 'resources', 'producer', 'flows', 'plan', 'redis', 'events', 'runtime'],
  schedules: ['producer', 'plan', 'redis', 'events', 'runtime'],
  control: ['producer', 'flows', 'resources', 'schedules', 'plan', 'redis', 'events', 'runtime'],
  drill: ['control', 'producer', 'agents', 'flows', 'plan', 'redis', 'events', 'runtime'],
  api: ['control', 'producer', 'schedules', 'plan', 'runtime'],
  board: ['api', 'redis', 'runtime'],
  cli: ['app.ts', 'drill', 'control', 'flows', 'producer', 'schedules', 'plan', 'events', 'runtime'],
};

/** Files directly in src/ may import every room: the composition root and the public list of names. */
const ROOT_FILES = ['app.ts', 'index.ts'];

/** Packages with one home. A name stands for its sub-paths as well. */
const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  bullmq: ['redis/'],
  ioredis: ['redis/'],
  commander: ['cli/'],
  pino: ['events/'],
  'node:child_process': ['agents/', 'drill/', 'redis/private-server'],
  child_process: ['agents/', 'drill/', 'redis/private-server'],
};

/** What is read or said in one place only, as it looks in code, with that place. */
const SINGLE_PLACES: readonly { what: string; pattern: RegExp; homes: readonly string[] }[] = [
  {
    what: 'process.env',
    pattern: /\bprocess\s*\.\s*env\b|\benv\b[^}\n]*\}\s*=\s*process\b/g,
    homes: ['runtime/config.ts', 'cli/'],
  },
  { what: 'Date.now', pattern: /\bDate\s*\.\s*now\b/g, homes: ['runtime/clock.ts'] },
  { what: 'new Date', pattern: /\bnew\s+Date\b/g, homes: ['runtime/clock.ts'] },
  { what: 'performance.now', pattern: /\bperformance\s*\.\s*now\b/g, homes: ['runtime/clock.ts'] },
  { what: 'Math.random', pattern: /\bMath\s*\.\s*random\b/g, homes: ['runtime/random.ts'] },
  { what: 'console', pattern: /\bconsole\s*\.\s*\w/g, homes: ['cli/'] },
];

export const MAX_LINES = 300;

/** All problems of all files, each `file:line: sentence`; empty when the house is in order. */
export function checkHouse(files: readonly SourceFile[]): string[] {
  const scanned = files.map(({ name, text }) => ({ name, source: readSource(text) }));
  const problems = scanned.flatMap(({ name, source }) => checkFile(name, source));
  const graph = new Map(scanned.map(({ name, source }) => [name, ownImports(name, source)]));
  return [...problems, ...findCycles(graph).map((cycle) => `${cycle[0]}: import cycle ${cycle.join(' → ')}`)];
}

function checkFile(name: string, source: SourceText): string[] {
  return [
    ...listImports(source).flatMap(({ specifier, line }) =>
      checkImport(name, specifier).map((sentence) => `${name}:${line}: ${sentence}`),
    ),
    ...checkSinglePlaces(name, source),
    ...checkExports(name, source),
    ...checkLength(name, source),
  ];
}

/** Every module that the file names: static, `import type`, `export … from`, `import()` and `require()` of a literal. */
export function listImports({ code, strings }: SourceText): Import[] {
  const found: Import[] = [];
  const forms = [
    /\bimport\s*(?:[\w$*{},\s]*?\bfrom\s*)?'§(\d+)'/g,
    /\bexport\s+(?:type\s+)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})\s*from\s*'§(\d+)'/g,
    /\b(?:import|require)\s*\(\s*'§(\d+)'/g,
  ];
  for (const form of forms) {
    for (const match of code.matchAll(form))
      found.push({ specifier: strings[Number(match[1])]!, line: lineAt(code, match.index) });
  }
  return found.sort((a, b) => a.line - b.line);
}

/** What is wrong with `file` importing `specifier`. */
export function checkImport(file: string, specifier: string): string[] {
  if (!specifier.startsWith('.')) return checkPackage(file, specifier);
  if (!/\.(ts|mjs)$/.test(specifier)) return [`import "${specifier}" must name the file with its ending`];
  const target = resolve(file, specifier);
  if (target.startsWith('..')) return [`import "${specifier}" leaves src/`];
  const [from, to] = [roomOf(file), roomOf(target)];
  if (from === to || ROOT_FILES.includes(from)) return [];
  const allowed = ROOMS[from];
  if (allowed === undefined) return [`"${from}" is not a room of this house: name it and its imports in ROOMS`];
  return allowed.includes(to) ? [] : [`"${from}" must not import "${to}" (${specifier})`];
}

function checkPackage(file: string, specifier: string): string[] {
  const name = Object.keys(PACKAGE_HOMES).find((known) => specifier === known || specifier.startsWith(`${known}/`));
  if (roomOf(file) === 'runtime' && !specifier.startsWith('node:'))
    return [`"runtime" imports node: only, not "${specifier}"`];
  if (name === undefined || isAtHome(file, PACKAGE_HOMES[name]!)) return [];
  return [`"${specifier}" is imported in ${PACKAGE_HOMES[name]!.join(', ')} only`];
}

function checkSinglePlaces(name: string, { code }: SourceText): string[] {
  return SINGLE_PLACES.filter(({ homes }) => !isAtHome(name, homes)).flatMap(({ what, pattern, homes }) =>
    [...code.matchAll(pattern)].map(
      ({ index }) => `${name}:${lineAt(code, index)}: ${what} belongs in ${homes.join(', ')} only`,
    ),
  );
}

function checkExports(name: string, { code }: SourceText): string[] {
  const problems = [...code.matchAll(/\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g)].map(
    ({ index }) => `${name}:${lineAt(code, index)}: default export`,
  );
  if (name !== 'index.ts') return problems;
  const rest = code.replace(/\bexport\s+(?:type\s+)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})\s*from\s*'§\d+'\s*;?/g, '');
  return rest.trim() === '' ? problems : [...problems, `${name}: index.ts only re-exports`];
}

function checkLength(name: string, { lines, header }: SourceText): string[] {
  if (lines <= MAX_LINES || /long because/i.test(header)) return [];
  return [`${name}: ${lines} lines; part it, or say "long because …" in its header`];
}

function ownImports(name: string, source: SourceText): string[] {
  return listImports(source)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => resolve(name, specifier));
}

/** One cycle for each place where following the imports comes back to a file that is still being followed. */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const follow = (file: string): void => {
    if (trail.includes(file)) {
      cycles.push([...trail.slice(trail.indexOf(file)), file]);
      return;
    }
    if (done.has(file)) return;
    trail.push(file);
    for (const next of graph.get(file) ?? []) follow(next);
    trail.pop();
    done.add(file);
  };
  for (const file of graph.keys()) follow(file);
  return cycles;
}

function resolve(file: string, specifier: string): string {
  return path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
}

/** The folder below src/, or the file itself where it lies directly in src/. */
function roomOf(file: string): string {
  return file.split('/')[0]!;
}

function isAtHome(file: string, homes: readonly string[]): boolean {
  return homes.some((home) => file.startsWith(home));
}

function lineAt(code: string, index: number): number {
  return code.slice(0, index).split('\n').length;
}
