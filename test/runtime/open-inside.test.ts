import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { link, mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRefusal, openInside, readAtMost, readTextAtMost, type Wanted } from '../../src/runtime/open-inside.ts';

let root: string;
let project: string;
const at = (name: string) => path.join(project, name);
const look = (name: string, wanted: Partial<Wanted> = {}) =>
  findRefusal(name.startsWith('/') ? name : `${project}/${name}`, { roots: [project], kind: 'file', ...wanted });

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'planq-inside-'));
  project = path.join(root, 'project');
  await mkdir(at('folder'), { recursive: true });
  await writeFile(at('file'), 'inside');
  await mkdir(path.join(root, 'outside'));
  await writeFile(path.join(root, 'outside/secret'), 'secret');
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('what lies inside', () => {
  it('is opened: a file, a folder, a link to either', async () => {
    await symlink(at('file'), at('link'));
    await symlink(at('folder'), at('folder-link'));
    expect(await look('file')).toBeNull();
    expect(await look('link')).toBeNull();
    expect(await look('folder', { kind: 'folder' })).toBeNull();
    expect(await look('folder-link', { kind: 'folder' })).toBeNull();
    expect(await look('folder', { kind: 'any' })).toBeNull();
  });

  it('may be reached through a project folder that is itself a link', async () => {
    await symlink(project, path.join(root, 'shortcut'));
    const shortcut = path.join(root, 'shortcut');
    expect(await findRefusal(path.join(shortcut, 'file'), { roots: [shortcut], kind: 'file' })).toBeNull();
    expect(await findRefusal(path.join(shortcut, 'file'), { roots: [project], kind: 'file' })).toBeNull();
  });

  it('is missing when it is not there, and another kind when it is another kind', async () => {
    expect(await look('gone')).toMatchObject({ kind: 'missing' });
    expect(await look('file/below')).toMatchObject({ kind: 'missing' });
    expect(await look('folder')).toEqual({ kind: 'refused', reason: 'it is not a regular file' });
    expect(await look('file', { kind: 'folder' })).toEqual({ kind: 'refused', reason: 'it is not a directory' });
  });
});

describe('what leads outside', () => {
  const OUTSIDE = { kind: 'refused', reason: 'it leads outside the project' };

  it.each([
    ['a link to a file', 'a', () => symlink(path.join(root, 'outside/secret'), at('a'))],
    ['a relative link', 'a', () => symlink('../outside/secret', at('a'))],
    [
      'a link to a link',
      'b',
      async () => {
        await symlink(path.join(root, 'outside/secret'), at('a'));
        await symlink(at('a'), at('b'));
      },
    ],
    ['a link to a folder on the way', 'a/secret', () => symlink(path.join(root, 'outside'), at('a'))],
    ['a link to the root folder', 'a/etc/passwd', () => symlink('/', at('a'))],
  ])('is refused: %s', async (_, name, prepare) => {
    await prepare();
    expect(await look(name)).toEqual(OUTSIDE);
    expect(await look(name, { kind: 'any' })).toEqual(OUTSIDE);
  });

  it('is refused by its words alone', async () => {
    for (const name of [
      `${project}/../outside/secret`,
      `${project}/file\0.md`,
      `${project}/folder/../../outside/secret`,
    ])
      expect(await look(name)).toMatchObject({ kind: 'refused' });
    expect(await findRefusal('file', { roots: [project], kind: 'file' })).toMatchObject({ kind: 'refused' });
    expect(await look('/etc/passwd')).toEqual(OUTSIDE);
    // A neighbour whose name begins alike.
    await writeFile(`${project}-2`, 'x');
    expect(await look(`${project}-2`)).toEqual(OUTSIDE);
  });

  it('is refused as a hard link where a file must have one name only', async () => {
    await link(path.join(root, 'outside/secret'), at('hard'));
    expect(await look('hard', { single: true })).toMatchObject({ reason: expect.stringContaining('hard link') });
    expect(await look('file', { single: true })).toBeNull();
  });
});

describe('what is no file', () => {
  it('is refused at once: a pipe that nobody writes to, a device, a socket', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    await symlink('/dev/zero', at('device'));
    const server = net.createServer().listen(at('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    for (const name of ['pipe', 'device', 'socket', '/dev/zero'])
      expect(await look(name, { roots: ['/'], kind: 'any' })).toMatchObject({ kind: 'refused' });
    server.close();
  });

  it('does not hold up whoever reads a text', () => {
    execFileSync('mkfifo', [at('pipe')]);
    expect(() => readTextAtMost(at('pipe'), 10)).toThrow('not a regular file');
    expect(() => readTextAtMost(at('file'), 5)).toThrow('larger than 5 bytes');
    expect(readTextAtMost(at('file'), 6)).toBe('inside');
  });

  it('is not read for longer than it may be, whatever size it claims', async () => {
    const endless = await open('/dev/zero', constants.O_RDONLY);
    expect(await readAtMost(endless, 1_000_000)).toBeNull();
    await endless.close();
  });
});

/**
 * Swaps as fast as it can, in one step each: `target` is a file or a link to outside, `way` a link to a folder inside or
 * outside, `real` a folder or a link to outside. What the last one does only shows after the path was resolved.
 */
const SWAPPER = `
  const { symlinkSync, unlinkSync, writeFileSync, renameSync } = require('node:fs');
  const { workerData: { project, outside, flag } } = require('node:worker_threads');
  const state = new Int32Array(flag);
  const put = (name, make) => { const draft = project + '/draft'; make(draft); renameSync(draft, project + '/' + name); };
  const swap = () => {
    put('target', (draft) => writeFileSync(draft, 'inside'));
    put('target', (draft) => symlinkSync(outside + '/secret', draft));
    put('way', (draft) => symlinkSync(project + '/folder', draft));
    put('way', (draft) => symlinkSync(outside, draft));
  };
  while (Atomics.load(state, 0) === 0) {
    renameSync(project + '/real', project + '/aside');
    put('real', (draft) => symlinkSync(outside, draft));
    swap();
    unlinkSync(project + '/real');
    renameSync(project + '/aside', project + '/real');
    swap();
    Atomics.add(state, 1, 1);
  }
`;

it('nothing outside is ever read while another thread swaps links during the look', async () => {
  await mkdir(at('real'));
  for (const name of ['folder/secret', 'real/secret']) await writeFile(at(name), 'inside');
  const flag = new SharedArrayBuffer(8);
  const state = new Int32Array(flag);
  const workerData = { project, outside: path.join(root, 'outside'), flag };
  const swapper = new Worker(SWAPPER, { eval: true, workerData });
  const seen = new Map<string, number>();
  const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  try {
    for (let n = 0; n < 3000 || Atomics.load(state, 1) < 500; n++) {
      for (const name of ['target', 'way/secret', 'real/secret']) {
        const opened = await openInside(at(name), { roots: [project], kind: 'file' });
        if (!opened.ok) note(opened.error.kind);
        else {
          note(String(await readAtMost(opened.value.handle, 100)));
          await opened.value.handle.close();
        }
      }
    }
  } finally {
    Atomics.store(state, 0, 1);
    await swapper.terminate();
  }
  expect(seen.get('secret')).toBeUndefined();
  expect(seen.get('inside')).toBeGreaterThan(100);
  expect(seen.get('refused')).toBeGreaterThan(100);
}, 120_000);
