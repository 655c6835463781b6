/**
 * Where the system would find a program, and why it would not: for programs that are started by another one, whose own
 * failure to start them would come too late and as a mere exit code.
 */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { err, ok, type Result } from '../runtime/result.ts';

/** What the system searches when there is no PATH. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * Looks a program up as `execvp` does.
 * @param cwd where it will be started: relative names count from there
 * @returns its absolute path, or the system's code
 */
export function findProgram(file: string, searchPath: string | undefined, cwd: string): Result<string, string> {
  if (file.includes('/')) return check(path.resolve(cwd, file));
  let denied = false;
  for (const folder of (searchPath ?? DEFAULT_PATH).split(':')) {
    const found = check(path.resolve(cwd, folder, file));
    if (found.ok) return found;
    denied ||= found.error === 'EACCES';
  }
  return err(denied ? 'EACCES' : 'ENOENT');
}

function check(file: string): Result<string, string> {
  try {
    if (statSync(file).isDirectory()) return err('EACCES');
    accessSync(file, constants.X_OK);
    return ok(file);
  } catch (error) {
    return err(String((error as NodeJS.ErrnoException).code));
  }
}
