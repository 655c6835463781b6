import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDisk } from '../../src/runtime/disk.ts';

const GB = 1e9;
const disk = (freeBytes: number, totalBytes: number) => async () => ({ freeBytes, totalBytes });

describe('a disk', () => {
  it.each([
    [5 * GB, 100 * GB],
    [1 * GB, 50 * GB],
  ])('with %d of %d bytes free has room', async (free, total) => {
    expect(await checkDisk('/x', disk(free, total))).toBeNull();
  });

  it.each([
    [0.99 * GB, 10 * GB, '990 MB (9.9 %)'],
    [19 * GB, 1000 * GB, '19 GB (1.9 %)'],
    [0, 10 * GB, '0 B (0.0 %)'],
  ])('with %d of %d bytes free is nearly full, and it says how much is missing', async (free, total, words) => {
    expect(await checkDisk('/x', disk(free, total))).toBe(
      `the disk of /x is nearly full: ${words} free, at least 1 GB and 2 % must be free`,
    );
  });

  it('is found by the nearest folder that exists', async () => {
    const asked: string[] = [];
    const read = async (dir: string) => {
      asked.push(dir);
      if (dir !== '/a') throw Object.assign(new Error('no'), { code: 'ENOENT' });
      return { freeBytes: 0, totalBytes: 1 };
    };
    expect(await checkDisk('/a/b/c', read)).toContain('the disk of /a/b/c');
    expect(asked).toEqual(['/a/b/c', '/a/b', '/a']);
  });

  it('of which the system says nothing does not stop the work', async () => {
    expect(await checkDisk('/x', disk(0, 0))).toBeNull();
    const refuse = async (): Promise<never> => {
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    };
    expect(await checkDisk('/x', refuse)).toBeNull();
  });

  it('of this machine can be read', async () => {
    const answer = await checkDisk(path.join(tmpdir(), 'not', 'there'));
    expect(answer === null || answer.includes('nearly full')).toBe(true);
  });
});
