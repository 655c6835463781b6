import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  checkHouse,
  checkImport,
  findCycles,
  listImports,
  MAX_LINES,
  ROOMS,
  type SourceFile,
} from './support/imports.ts';
import { readSource } from './support/source-text.ts';

const SRC = path.join(import.meta.dirname, '..', 'src');

/** All files of src/ with one of the endings, names relative to it. */
function readFiles(endings: readonly string[]): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => ({
      name: name.split(path.sep).join('/'),
      text: readFileSync(path.join(SRC, name), 'utf8'),
    }));
}

describe('src/', () => {
  it('keeps the rules of the house', () => {
    expect(checkHouse(readFiles(['.ts']))).toEqual([]);
  });

  it('has no room that the rules do not know', () => {
    const rooms = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(Object.keys(ROOMS)).toEqual(expect.arrayContaining(rooms.map(({ name }) => name)));
  });

  it('has programs that stand alone: they import nothing but node: and each other', () => {
    const imports = readFiles(['.mjs']).flatMap(({ name, text }) =>
      listImports(readSource(text)).map(({ specifier }) => `${name} → ${specifier}`),
    );
    expect(imports.filter((line) => !/→ (node:|\.\/[\w-]+\.mjs$)/.test(line))).toEqual([]);
  });
});

describe('the rules', () => {
  const check = (name: string, text: string): string[] => checkHouse([{ name, text }]);

  it('let a room import only what lies below it', () => {
    expect(check('plan/a.ts', "import { b } from '../redis/b.ts';")).toEqual([
      'plan/a.ts:1: "plan" must not import "redis" (../redis/b.ts)',
    ]);
    expect(check('workers/a.ts', "import { b } from '../control/b.ts';")).toHaveLength(1);
    expect(check('control/a.ts', "import { b } from '../producer/b.ts';")).toEqual([]);
    expect(check('app.ts', "import { b } from './cli/b.ts';")).toEqual([]);
    expect(check('plan/a.ts', "import { b } from '../app.ts';")).toHaveLength(1);
    expect(check('cli/a.ts', "import { b } from '../app.ts';")).toEqual([]);
  });

  it.each([
    ["import type { B } from '../redis/b.ts';"],
    ["import { type B, c } from '../redis/b.ts';"],
    ["import '../redis/b.ts';"],
    ["import * as b from '../redis/b.ts';"],
    ["import b from '../redis/b.ts';"],
    ["import {\n  b,\n  c as d,\n} from '../redis/b.ts';"],
    ["import{b}from'../redis/b.ts';"],
    ["export * from '../redis/b.ts';"],
    ["export * as b from '../redis/b.ts';"],
    ["export { b } from '../redis/b.ts';"],
    ["export type { B } from '../redis/b.ts';"],
    ["const b = await import('../redis/b.ts');"],
    ["type B = import('../redis/b.ts').B;"],
    ["const b = `${(await import('../redis/b.ts')).b}`;"],
    ["const quote = /['\"]/; import { b } from '../redis/b.ts';"],
  ])('see every way to import: %s', (text) => {
    expect(check('plan/a.ts', text)).toEqual([expect.stringContaining('"plan" must not import "redis"')]);
  });

  it.each([
    ["// import { b } from '../redis/b.ts';"],
    ["/* import { b } from '../redis/b.ts'; */"],
    ['const text = "import { b } from \'../redis/b.ts\'";'],
    ["const text = `import { b } from '../redis/b.ts'`;"],
    ['const text = `${"{"} import(\'../redis/b.ts\')`;'],
    ["// process.env, console.log, Date.now()\nconst text = 'console.log(process.env)';"],
    ['const half = total / 2; const third = total / 3; // Math.random()'],
  ])('are not misled by words in comments and strings: %s', (text) => {
    expect(check('plan/a.ts', text)).toEqual([]);
  });

  it('demand the ending in the import of an own file, and keep imports inside src/', () => {
    expect(checkImport('plan/a.ts', './b')).toHaveLength(1);
    expect(checkImport('plan/a.ts', './b.js')).toHaveLength(1);
    expect(checkImport('plan/a.ts', '../../test/b.ts')).toEqual(['import "../../test/b.ts" leaves src/']);
  });

  it('keep each package at home, types included', () => {
    expect(check('workers/a.ts', "import type { Job } from 'bullmq';")).toHaveLength(1);
    expect(check('workers/a.ts', "import { Redis } from 'ioredis';")).toHaveLength(1);
    expect(check('workers/a.ts', "import { x } from 'ioredis/built/utils';")).toHaveLength(1);
    expect(check('redis/a.ts', "import { Job } from 'bullmq'; import { Redis } from 'ioredis';")).toEqual([]);
    expect(check('workers/a.ts', "import { spawn } from 'node:child_process';")).toHaveLength(1);
    expect(check('agents/a.ts', "import { spawn } from 'node:child_process';")).toEqual([]);
    expect(check('redis/private-server.ts', "import { spawn } from 'node:child_process';")).toEqual([]);
    expect(check('redis/queues.ts', "import { spawn } from 'node:child_process';")).toHaveLength(1);
    expect(check('runtime/a.ts', "import { z } from 'zod';")).toHaveLength(1);
    expect(check('runtime/a.ts', "import path from 'node:path';")).toEqual([]);
  });

  it('keep the environment, the clock, chance and the console in their one place', () => {
    const all =
      'process.env.A; Date.now(); new Date(1); performance.now(); Math.random(); console.log(1); `${Date.now()}`;';
    expect(check('plan/a.ts', all)).toHaveLength(7);
    expect(check('plan/a.ts', 'const { env } = process;')).toHaveLength(1);
    expect(check('runtime/clock.ts', 'Date.now(); new Date(1); performance.now();')).toEqual([]);
    expect(check('runtime/random.ts', 'Math.random();')).toEqual([]);
    expect(check('runtime/config.ts', 'process.env.A;')).toEqual([]);
    expect(check('cli/main.ts', 'process.env.A; console.log(1);')).toEqual([]);
    expect(check('plan/a.ts', 'const env = options.process.environment; isConsole.log();')).toEqual([]);
  });

  it('refuse default exports, and anything but re-exports in index.ts', () => {
    expect(check('plan/a.ts', 'export default 1;')).toEqual(['plan/a.ts:1: default export']);
    expect(check('plan/a.ts', 'const a = 1;\nexport { a as default };')).toEqual(['plan/a.ts:2: default export']);
    expect(check('index.ts', "export { a } from './plan/a.ts';\nexport type { B } from './plan/b.ts';")).toEqual([]);
    expect(check('index.ts', "export { a } from './plan/a.ts';\nexport const b = 1;")).toHaveLength(1);
  });

  it('refuse a long file without an argument in its header', () => {
    const body = 'const a = 1;\n'.repeat(MAX_LINES);
    expect(check('plan/a.ts', body)).toEqual([]);
    expect(check('plan/a.ts', `${body}const b = 1;\n`)).toHaveLength(1);
    expect(check('plan/a.ts', `/** Long because a table is one thing. */\n${body}`)).toEqual([]);
    expect(check('plan/a.ts', `${body}// long because nobody looked here\n`)).toHaveLength(1);
  });

  it('find import cycles, through types too, and show the way round', () => {
    expect(
      checkHouse([
        { name: 'plan/a.ts', text: "import { b } from './b.ts';" },
        { name: 'plan/b.ts', text: "import type { C } from './formats/c.ts';" },
        { name: 'plan/formats/c.ts', text: "export { a } from '../a.ts';" },
      ]),
    ).toEqual(['plan/a.ts: import cycle plan/a.ts → plan/b.ts → plan/formats/c.ts → plan/a.ts']);
    expect(
      findCycles(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
    ).toEqual([]);
    expect(findCycles(new Map([['a', ['a']]]))).toEqual([['a', 'a']]);
  });

  it('allow no room to import one that may import it', () => {
    expect(findCycles(new Map(Object.entries(ROOMS)))).toEqual([]);
  });

  it('refuse a room that nobody has named', () => {
    expect(check('utils/a.ts', "import { b } from '../plan/b.ts';")).toEqual([
      expect.stringContaining('"utils" is not a room'),
    ]);
  });
});
