/**
 * Reads what an agent wrote to PLANQ_OUTPUT: `key=value` lines, or for several lines GitHub Actions' form
 *
 *   key<<END
 *   first line
 *   END
 */
import { errorMessage } from '../runtime/errors.ts';
import { openInside, readAtMost } from '../runtime/open-inside.ts';
import { err, ok, type Result } from '../runtime/result.ts';

/** Most bytes of the file; larger results belong into files of the output folder. */
export const MAX_VALUES_BYTES = 64 * 1024;

export interface Values {
  values: Record<string, string>;
  /** One sentence for each line that could not be read. */
  warnings: string[];
}

const KEY = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
const BLOCK = /^([^=]*?)<<(.+)$/;

/** Reads the text of the file. Later lines win over earlier ones of the same key. */
export function parseValues(text: string): Values {
  const found = new Map<string, string>();
  const warnings: string[] = [];
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    if (line.trim() === '') continue;
    const block = BLOCK.exec(line);
    const entry = block === null ? readPair(line) : readBlock(lines, index, block);
    if (typeof entry === 'string') warnings.push(`PLANQ_OUTPUT line ${index + 1}: ${entry}`);
    else {
      found.set(entry.key, entry.value);
      index += entry.extraLines;
    }
  }
  return { values: Object.fromEntries(found), warnings };
}

interface Entry {
  key: string;
  value: string;
  extraLines: number;
}

function readPair(line: string): Entry | string {
  const equals = line.indexOf('=');
  if (equals < 0) return 'expected key=value';
  return toEntry(line.slice(0, equals), line.slice(equals + 1), 0);
}

function readBlock(lines: readonly string[], start: number, [, key, end]: RegExpExecArray): Entry | string {
  const stop = lines.indexOf(end!.trim(), start + 1);
  if (stop < 0) return `the text of "${key!.trim()}" has no closing line "${end!.trim()}"`;
  return toEntry(key!, lines.slice(start + 1, stop).join('\n'), stop - start);
}

function toEntry(text: string, value: string, extraLines: number): Entry | string {
  const key = text.trim();
  if (!KEY.test(key)) return `"${key.slice(0, 40)}" is not a name: a letter, then letters, digits, "_", "." or "-"`;
  return { key, value, extraLines };
}

/**
 * Reads the file. One that was never written holds no values; links and pipes are not followed, an agent could have put
 * them there.
 * @param roots the folders in which it must lie
 * @returns the values, or a sentence when the file is too large or cannot be read
 */
export async function readValues(file: string, roots: readonly string[]): Promise<Result<Values, string>> {
  const opened = await openInside(file, { roots, kind: 'file', single: true });
  if (!opened.ok) {
    if (opened.error.kind === 'missing') return ok({ values: {}, warnings: [] });
    return err(`PLANQ_OUTPUT cannot be read: ${opened.error.reason}`);
  }
  const { handle, stats } = opened.value;
  try {
    const bytes = await readAtMost(handle, MAX_VALUES_BYTES);
    return bytes === null ? err(tooLarge(stats.size)) : ok(parseValues(bytes.toString('utf8')));
  } catch (error) {
    return err(`PLANQ_OUTPUT cannot be read: ${errorMessage(error)}`);
  } finally {
    await handle.close();
  }
}

function tooLarge(size: number): string {
  return `PLANQ_OUTPUT holds ${size} bytes, at most ${MAX_VALUES_BYTES} are taken: write a file into the output folder and name it instead`;
}
