import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readOutput } from '../../src/plan/paths.ts';
import type { FileRef } from '../../src/plan/plan.ts';
import { type TaskPaths, taskPaths } from '../../src/producer/workspace.ts';
import { describeFaults, findMissingInputs, verifyOutputs } from '../../src/workers/verify.ts';

let root: string;
let paths: TaskPaths;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'planq-verify-'));
  paths = taskPaths(path.join(root, 'project'), 'workspace', 'a');
  await mkdir(paths.outputDir, { recursive: true });
  await writeFile(path.join(root, 'secret'), 'outside');
});
afterEach(() => rm(root, { recursive: true, force: true }));

function outputs(...names: string[]): FileRef[] {
  return names.map((name) => {
    const read = readOutput(name);
    if (!read.ok) throw new Error(String(read.error));
    return read.value;
  });
}

const inOutput = (name: string) => path.join(paths.outputDir, name);

test('outputs that are there and not empty are good, in every place they may be', async () => {
  await writeFile(inOutput('a.md'), 'x');
  await mkdir(inOutput('dir'));
  await writeFile(inOutput('dir/one'), 'x');
  await writeFile(inOutput('good.json'), '{"a":1}');
  await mkdir(path.join(paths.projectDir, 'src'), { recursive: true });
  await writeFile(path.join(paths.projectDir, 'src/main.ts'), 'x');
  expect(
    await verifyOutputs(
      paths,
      outputs('a.md', 'dir/', 'good.json', 'src/main.ts', 'src/*.ts', 'workspace/outputs/a/a.md'),
    ),
  ).toEqual([]);
});

test('every kind of fault is told with its path', async () => {
  await writeFile(inOutput('empty.md'), '');
  await writeFile(inOutput('bad.json'), '{');
  await mkdir(inOutput('hollow'));
  await writeFile(inOutput('file-not-dir'), 'x');
  execFileSync('mkfifo', [inOutput('pipe')]);
  await mkdir(inOutput('dir-not-file'));
  const faults = await verifyOutputs(
    paths,
    outputs('gone.md', 'empty.md', 'bad.json', 'hollow/', 'file-not-dir/', 'pipe', 'dir-not-file', 'none/*.md'),
  );
  expect(faults.map((fault) => [fault.kind, path.basename(fault.path)])).toEqual([
    ['missing', 'gone.md'],
    ['empty', 'empty.md'],
    ['invalid', 'bad.json'],
    ['empty', 'hollow'],
    ['invalid', 'file-not-dir'],
    ['invalid', 'pipe'],
    ['invalid', 'dir-not-file'],
    ['missing', '*.md'],
  ]);
  expect(describeFaults(faults)).toMatch(
    /^Missing outputs: workspace\/outputs\/a\/gone\.md, none\/\*\.md \(no file matches\); Empty outputs: /,
  );
});

test('a link that leads outside the project is refused, one inside is followed', async () => {
  await symlink(path.join(root, 'secret'), inOutput('out.md'));
  await writeFile(inOutput('real.md'), 'x');
  await symlink(inOutput('real.md'), inOutput('in.md'));
  await symlink(root, inOutput('up'));
  const faults = await verifyOutputs(paths, outputs('out.md', 'in.md', 'up/'));
  expect(faults.map((fault) => [fault.kind, path.basename(fault.path), fault.detail])).toEqual([
    ['invalid', 'out.md', 'it leads outside the project'],
    ['invalid', 'up', 'it leads outside the project'],
  ]);
});

test('an input is there when any of its places has it', async () => {
  const input = (text: string, ...candidates: FileRef['candidates']): FileRef => ({
    text,
    candidates,
    directory: false,
    glob: text.includes('*'),
  });
  await writeFile(inOutput('x.md'), 'x');
  const missing = await findMissingInputs(paths, [
    input('x.md', { base: 'project', path: 'x.md' }, { base: 'workspace', path: 'outputs/a/x.md' }),
    input('*.md', { base: 'workspace', path: 'outputs/*/*.md' }),
    input('y.md', { base: 'project', path: 'y.md' }),
    input('**/*.rs', { base: 'project', path: '**/*.rs' }),
  ]);
  expect(missing).toEqual(['y.md', '**/*.rs']);
});
