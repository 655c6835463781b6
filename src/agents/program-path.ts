/**
 * Where our own helper programs lie. They are plain JavaScript, so that they start in 40 ms and need no build: the same
 * files serve the sources and, copied beside them, the compiled program.
 */
import { fileURLToPath } from 'node:url';

/** Absolute path of a program in `programs/`, to be run by `process.execPath`. */
export function programPath(name: 'fake-agent' | 'function-runner' | 'guardian'): string {
  return fileURLToPath(new URL(`./programs/${name}.mjs`, import.meta.url));
}
