import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/repository.ts';

/** What the published package holds: files by name, folders with their slash. */
const PUBLISHED = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist/', 'examples/', 'package.json', 'schema/'];

describe('the published package', () => {
  let files: string[];
  beforeAll(() => {
    const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const packed: unknown = JSON.parse(output);
    // npm 10 and 11 answer with a list, later ones with an object by name.
    const [first] = Object.values(packed as Record<string, { files: { path: string }[] }>);
    files = first!.files.map(({ path }) => path);
  });

  it('holds these files and folders and no other', () => {
    const roots = files.map((file) => file.replace(/\/.*/, '/'));
    expect([...new Set(roots)].sort()).toEqual(PUBLISHED);
  });

  it('holds the command, the library with its types, the schema and what the build copies', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/bin/planq.cjs',
        'dist/bin/LICENSES.txt',
        'dist/index.js',
        'dist/index.d.ts',
        'schema/plan.json',
      ]),
    );
    expect(files.filter((file) => /^dist\/redis\/scripts\/.+\.lua$/.test(file))).not.toEqual([]);
    expect(files.filter((file) => /^dist\/(agents|drill)\/programs\/.+\.mjs$/.test(file))).not.toEqual([]);
  });

  it('holds files of these kinds only', () => {
    const kinds = [
      /^dist\/[\w/-]+\.(js|d\.ts)$/,
      /^dist\/bin\/(\w+\.cjs|LICENSES\.txt)$/,
      /^dist\/redis\/scripts\/[\w-]+\.lua$/,
      /^dist\/(agents|drill)\/programs\/[\w-]+\.(mjs|d\.mts)$/,
      /^examples\/[\w/.-]+\.(ya?ml|json|md|mjs)$/,
      /^schema\/plan\.json$/,
      /^(CHANGELOG\.md|LICENSE|README\.md|package\.json)$/,
    ];
    expect(files.filter((file) => !kinds.some((kind) => kind.test(file)))).toEqual([]);
  });

  it('holds nothing that keeps secrets, and no name of a hidden file', () => {
    expect(files.filter((file) => /(^|\/)\.|\.(env|pem|key|p12|sock|rdb|aof)$|npmrc/.test(file))).toEqual([]);
  });

  it('holds no tests, no maps and no leftovers of a run', () => {
    expect(files.filter((file) => /\.test\.|\.map$|\.log$|\.tsbuildinfo$|\.planq|workspace\//.test(file))).toEqual([]);
  });
});
