/** The repository as its visitors get it: for tests of what it holds and says. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '..', '..');

/** What .gitignore keeps out, and git itself. */
const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'coverage', '.planq', 'workspace', 'profiles']);

/** All files that belong to the repository, relative to its root, with forward slashes. */
export function listRepository(folder = ''): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !NOT_OURS.has(name) && !name.endsWith('.log'))
    .flatMap((entry) => {
      const name = path.posix.join(folder, entry.name);
      return entry.isDirectory() ? listRepository(name) : [name];
    });
}

/** The text of one file of the repository. */
export function readRepository(name: string): string {
  return readFileSync(path.join(ROOT, name), 'utf8');
}
