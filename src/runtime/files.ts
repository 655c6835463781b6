/**
 * Small file helpers that several rooms need: atomic replacement and paths that stay where they belong.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { randomId } from './random.ts';

/**
 * Replaces `file` with `content` so that a reader sees the old or the new text, never a part. Makes the folder.
 * @throws the file system's error; the temporary file is removed
 */
export async function writeFileAtomic(file: string, content: string): Promise<void> {
  const temporary = `${file}.${process.pid}.${randomId(6)}.tmp`;
  await mkdir(path.dirname(file), { recursive: true });
  try {
    await writeFile(temporary, content, { mode: 0o600 });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** True when `child` is `parent` or lies below it, by the words of the two absolute paths alone. */
export function isInside(parent: string, child: string): boolean {
  const relative = path.relative(parent, child);
  return relative === '' || (!relative.startsWith(`..${path.sep}`) && relative !== '..' && !path.isAbsolute(relative));
}
