import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isInside, writeFileAtomic } from '../../src/runtime/files.ts';

describe('writeFileAtomic', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'planq-files-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('makes the folder, replaces what was there and leaves nothing else behind', async () => {
    const file = path.join(folder, 'deep', 'er', 'status.json');
    await writeFileAtomic(file, 'one');
    await writeFileAtomic(file, 'two');
    expect(await readFile(file, 'utf8')).toBe('two');
    expect(await readdir(path.dirname(file))).toEqual(['status.json']);
  });

  it('writes for its owner alone', async () => {
    const file = path.join(folder, 'status.json');
    await writeFileAtomic(file, 'secret');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('shows a reader whole texts only, while many write at once', async () => {
    const file = path.join(folder, 'status.json');
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(50_000));
    await writeFileAtomic(file, texts[0]!);
    const seen = new Set<string>();
    await Promise.all(
      texts.map(async (text) => {
        await writeFileAtomic(file, text);
        seen.add(await readFile(file, 'utf8'));
      }),
    );
    expect([...seen].filter((text) => !texts.includes(text))).toEqual([]);
    expect(await readdir(folder)).toEqual(['status.json']);
  });

  it('takes its temporary file away when it fails', async () => {
    const file = path.join(folder, 'taken');
    await mkdir(file);
    await writeFile(path.join(file, 'inside'), '');
    await expect(writeFileAtomic(file, 'text')).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['taken']);
  });
});

describe('isInside', () => {
  it.each([
    ['/a/b', '/a/b', true],
    ['/a/b', '/a/b/c/d', true],
    ['/a/b', '/a/b/../b/c', true],
    ['/a/b', '/a/b/..c', true],
    ['/', '/a', true],
    ['/a/b', '/a/bc', false],
    ['/a/b', '/a', false],
    ['/a/b', '/a/b/..', false],
    ['/a/b', '/a/b/../c', false],
    ['/a/b', '/c', false],
  ])('of %s, %s: %s', (parent, child, expected) => {
    expect(isInside(parent, child)).toBe(expected);
  });
});
