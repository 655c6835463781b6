/**
 * Small file helpers that several rooms need: atomic replacement and paths that stay where they belong.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { randomId } from './random.ts';

export const PRIVATE_FOLDER = 0o700;
export const PRIVATE_FILE = 0o600;

/**
 * Makes a folder for what is its owner's business alone (logs, handoffs, states, sockets), whatever the umask is; parents
 * that are made with it too. One that is there keeps its rights.
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
}

/** Makes a folder with the rights that the user's umask leaves: for results, which others may be meant to read. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
}

/**
 * Replaces `file` with `content` so that a reader sees the old or the new text, never a part. Makes the folder, for its owner alone.
 * @throws the file system's error; the temporary file is removed
 */
export async function writeFileAtomic(file: string, content: string): Promise<void> {
  const temporary = `${file}.${process.pid}.${randomId(6)}.tmp`;
  await makePrivateFolder(path.dirname(file));
  try {
    await writeFile(temporary, content, { mode: PRIVATE_FILE });
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
