import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readInput, readOutput } from '../../src/plan/paths.ts';

const output = (text: string) => {
  const read = readOutput(text);
  return read.ok ? `${read.value.candidates[0]!.base}:${read.value.candidates[0]!.path}` : read.error.code;
};
const input = (text: string, id: string, folder: string | null) => {
  const read = readInput(text, id, folder);
  return read.ok ? read.value.candidates.map(({ base, path }) => `${base}:${path}`) : read.error.code;
};

describe('an output', () => {
  test.each([
    ['report.md', 'output:report.md'],
    ['samples/', 'output:samples'],
    ['*.log', 'output:*.log'],
    ['src/a.rs', 'project:src/a.rs'],
    ['./a.md', 'project:a.md'],
    ['src/../a.md', 'project:a.md'],
    ['workspace/outputs/01-a/01-b/x.md', 'workspace:outputs/01-a/01-b/x.md'],
    ['workspace/shared/x.md', 'workspace:shared/x.md'],
    ['..', 'path-outside'],
    ['../x', 'path-outside'],
    ['a/../../x', 'path-outside'],
    ['workspace/../x', 'path-outside'],
    ['/etc/passwd', 'path-outside'],
    ['C:\\x', 'path-outside'],
    ['c:/x', 'path-outside'],
    ['\\\\server\\x', 'path-outside'],
    ['a\\b', 'bad-path'],
    ['a\0b', 'bad-path'],
    ['', 'bad-path'],
    [' ', 'bad-path'],
    ['x'.repeat(1001), 'bad-path'],
  ])('%j is %s', (text, place) => {
    expect(output(text)).toBe(place);
  });

  test('is a folder with a slash at the end, and a glob with a star', () => {
    expect(readOutput('samples/')).toMatchObject({
      ok: true,
      value: { directory: true, glob: false, text: 'samples/' },
    });
    expect(readOutput('src/**/*.ts')).toMatchObject({ ok: true, value: { directory: false, glob: true } });
    expect(readOutput('app/[id]/page.tsx')).toMatchObject({ ok: true, value: { glob: false } });
  });
});

describe('an input of a task file', () => {
  test('can name a sibling task', () => {
    expect(input('../01-run/failures.txt', '01-analysis/02-sort', '01-analysis')).toContain(
      'workspace:outputs/01-analysis/01-run/failures.txt',
    );
  });

  test('can name a task of another phase with one or two dots-dots', () => {
    expect(input('../01-analysis/01-run/a.txt', '02-planning/01-plan', '02-planning')).toContain(
      'workspace:outputs/01-analysis/01-run/a.txt',
    );
    expect(input('../../01-analysis/01-run/a.txt', '02-planning/01-plan', '02-planning')).toEqual([
      'workspace:outputs/01-analysis/01-run/a.txt',
    ]);
  });

  test('can name the workspace, wherever that is', () => {
    expect(input('workspace/outputs/01-analysis/01-run/a.txt', '02-planning/01-plan', '02-planning')).toEqual([
      'workspace:outputs/01-analysis/01-run/a.txt',
    ]);
  });

  test('is looked for in the protocol’s order', () => {
    expect(input('x.txt', '01-analysis/02-sort', '01-analysis')).toEqual([
      'project:x.txt',
      'workspace:outputs/x.txt',
      'output:x.txt',
      'workspace:outputs/01-analysis/x.txt',
    ]);
  });
});

describe('an input of a plan', () => {
  test('is a path of the project or the output of a task', () => {
    expect(input('design/a.md', 'build', null)).toEqual(['project:design/a.md', 'workspace:outputs/design/a.md']);
  });

  test('cannot lie outside', () => {
    expect([input('../a.md', 'build', null), input('/a.md', 'build', null)]).toEqual(['path-outside', 'path-outside']);
  });
});

test('no path leads outside, whatever is written', () => {
  const part = fc.constantFrom('..', '.', 'a', '', 'workspace', '01-analysis', '*');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.constantFrom(null, '01-analysis'), (parts, folder) => {
      const text = parts.join('/');
      for (const read of [readOutput(text), readInput(text, '01-analysis/01-x', folder)]) {
        if (!read.ok) continue;
        for (const { path } of read.value.candidates) {
          expect(path.split('/')).not.toContain('..');
          expect(path.startsWith('/')).toBe(false);
        }
      }
    }),
  );
});
