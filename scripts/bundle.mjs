/**
 * The last step of the build: puts the command into a few files in `dist/bin/`, since Node takes longer to find and read
 * hundreds of small ones than most commands take to do their work. `planq.cjs` tells the version and loads `start.cjs`,
 * which has all of our sources; each of the large packages has a file of its own, loaded when it is used. They are CommonJS
 * because Node starts that faster, and because a module can then be loaded in the middle of a function. The library,
 * `dist/index.js`, is what the compiler made.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { lighterClient } from './lighter-client.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, 'src');
const target = path.join(root, 'dist', 'bin');
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Packages with a file of their own. One Redis client serves BullMQ and planq. */
const PACKAGES = ['bullmq', 'ioredis', 'yaml', 'zod'];

/** Parts of Node that take long to load and that most commands never use. */
const LATE_BUILTINS = [
  'assert',
  'child_process',
  'crypto',
  'dns',
  'fs/promises',
  'https',
  'module',
  'os',
  'perf_hooks',
  'readline',
  'stream/promises',
  'tls',
  'tty',
  'v8',
];

/** How the command goes on when it has more to do than to tell its version. */
const START = `(require('./code-cache.ts').useCodeCache(require, process.argv.slice(2), __dirname), require('./start.cjs'))`;

/** What lies beside a source file (Lua scripts, programs, examples) is found beside what the compiler made of it. */
const places = {
  name: 'places',
  setup: ({ onLoad }) => {
    // A version is built once, and asked for more often.
    onLoad({ filter: /[\\/]src[\\/]runtime[\\/]version\.ts$/ }, () => ({
      contents: `export const readVersion = () => ${JSON.stringify(version)};`,
    }));
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path: file }) => {
      const compiled = path.relative(source, file).replaceAll(path.sep, '/').replace(/\.ts$/, '.js');
      const url = `urlOf(${JSON.stringify(`/../${compiled}`)})`;
      const text = readFileSync(file, 'utf8').replaceAll('import.meta.url', url);
      return { contents: text.replace("import('./start.ts')", START), loader: 'ts' };
    });
  },
};

/** Packages with a file of their own are required from it. */
const packages = {
  name: 'packages',
  setup: ({ onResolve }) => {
    onResolve({ filter: new RegExp(`^(${PACKAGES.join('|')})$`) }, ({ path: name, kind }) =>
      kind === 'entry-point' ? undefined : { path: `./${name}.cjs`, external: true },
    );
  },
};

/** Each name of a late part of Node is looked up when it is used. */
const builtins = {
  name: 'builtins',
  setup: ({ onResolve, onLoad }) => {
    const filter = new RegExp(`^(node:)?(${LATE_BUILTINS.join('|')})$`);
    onResolve({ filter }, ({ path: name }) => ({ path: name.replace(/^node:/, ''), namespace: 'builtin' }));
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path: name }) => {
      const names = Object.keys(createRequire(import.meta.url)(`node:${name}`));
      const getters = names.map((one) => `get ${one}() { return process.getBuiltinModule('node:${name}').${one}; }`);
      return { contents: `module.exports = { ${getters.join(', ')} };` };
    });
  },
};

mkdirSync(target, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [
    { in: 'src/cli/main.ts', out: 'planq' },
    { in: 'src/cli/start.ts', out: 'start' },
    ...PACKAGES.map((name) => ({ in: name, out: name })),
  ],
  outdir: 'dist/bin',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.20',
  // Names stay: they are in stacks and errors.
  minifyWhitespace: true,
  minifySyntax: true,
  // Pino starts threads from files of its own, and only workers use it; the other is a compiled part that may be missing.
  external: ['pino', 'msgpackr-extract', './start.cjs'],
  banner: { js: "'use strict';const urlOf = (beside) => require('node:url').pathToFileURL(__dirname + beside).href;" },
  legalComments: 'none',
  plugins: [places, packages, builtins, lighterClient],
  metafile: true,
  logLevel: 'warning',
});
chmodSync(path.join(target, 'planq.cjs'), 0o755);
for (const file of Object.keys(metafile.outputs)) {
  // src/cli/code-cache.ts reads them so. esbuild writes all other characters as escapes but those of regular expressions.
  const [found] = /[^\0-\x7f]/.exec(readFileSync(path.join(root, file), 'utf8')) ?? [];
  if (found !== undefined) throw new Error(`${file} has "${found}", which is not ASCII: write it as an escape`);
}
const licences = 'LICENSES.txt';
writeFileSync(path.join(target, licences), collectLicences(Object.keys(metafile.inputs)));
const written = [licences, ...Object.keys(metafile.outputs).map((file) => path.basename(file))];
for (const name of readdirSync(target)) if (!written.includes(name)) rmSync(path.join(target, name));

/** The licences of all packages that are now part of the command, as they ask for. */
function collectLicences(inputs) {
  const folders = new Set(inputs.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []));
  return [...folders].sort().map(readLicence).join('\n');
}

function readLicence(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
  const file = readdirSync(path.join(root, folder)).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? 'It comes without the text.' : readFileSync(path.join(root, folder, file), 'utf8');
  return `${'='.repeat(80)}\n${name} ${version}, licence ${license}\n\n${text.trim()}\n`;
}
