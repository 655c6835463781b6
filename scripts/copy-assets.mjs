/**
 * The second step of the build: brings into dist/ what the compiler does not (Lua scripts, programs that run as processes
 * of their own), and takes out what the source no longer has. dist/ is never emptied as a whole, so that a planq which is
 * running from it does not lose its files. dist/bin/ is the next step's.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, 'src');
const target = path.join(root, 'dist');

const ASSETS = [
  { folder: 'redis/scripts', pattern: /\.lua$/ },
  { folder: 'agents/programs', pattern: /\.(mjs|d\.mts)$/ },
  { folder: 'drill/programs', pattern: /\.mjs$/ },
];

/** Files of `folder` and below, as paths relative to it. */
function listFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

const expected = new Set(
  listFiles(source).flatMap((file) =>
    file.endsWith('.ts') ? [file.replace(/\.ts$/, '.js'), file.replace(/\.ts$/, '.d.ts')] : [file],
  ),
);
for (const file of listFiles(target)) {
  if (!expected.has(file) && !file.startsWith(`bin${path.sep}`)) rmSync(path.join(target, file));
}

for (const { folder, pattern } of ASSETS) {
  for (const file of listFiles(path.join(source, folder)).filter((name) => pattern.test(name))) {
    const copy = path.join(target, folder, file);
    mkdirSync(path.dirname(copy), { recursive: true });
    copyFileSync(path.join(source, folder, file), copy);
  }
}
