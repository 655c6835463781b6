/**
 * Secrets by name: where a process takes their values from, and which values it must never tell. A value is read when it is
 * needed, given to the agent's environment and remembered for masking; it is stored nowhere.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createByteMask, createMask, LEAST_SECRET, type Mask, maskDeep } from './mask.ts';

export interface SecretSources {
  env: Readonly<Record<string, string | undefined>>;
  /** Name → file that holds the value, from the project folder. Comes before the environment. */
  files: Readonly<Record<string, string>>;
  projectDir: string;
}

export interface FoundSecrets {
  values: Record<string, string>;
  /** Names without a value, each with where it was looked for. */
  missing: { name: string; where: string }[];
  /** Names whose values are too short to be masked. */
  short: string[];
}

/** The secrets of one process. */
export class Secrets {
  readonly #known = new Set<string>();
  #mask: Mask = (text) => text;
  #maskBytes: Mask = (text) => text;

  /** @param known values that are secret from the start */
  constructor(
    private readonly sources: SecretSources,
    known: readonly string[] = [],
  ) {
    this.#remember(known);
  }

  /** The values of `names`, read anew, so that a replaced file counts at once. Never throws. */
  async read(names: readonly string[]): Promise<FoundSecrets> {
    const found: FoundSecrets = { values: {}, missing: [], short: [] };
    for (const name of names) {
      const { value, where } = await this.#readOne(name);
      if (value === '') found.missing.push({ name, where });
      else found.values[name] = value;
      if (value !== '' && value.length < LEAST_SECRET) found.short.push(name);
    }
    this.#remember(Object.values(found.values));
    return found;
  }

  readonly mask = (text: string): string => this.#mask(text);

  /** Masks bytes that need not be text. What is cut through by the chunk's ends is not found. */
  maskBytes(chunk: Buffer): Buffer {
    return this.#known.size === 0 ? chunk : Buffer.from(this.#maskBytes(chunk.toString('latin1')), 'latin1');
  }

  /** Whether there is anything to mask. */
  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  maskDeep<T>(value: T): T {
    return this.isEmpty ? value : maskDeep(value, this.#mask);
  }

  async #readOne(name: string): Promise<{ value: string; where: string }> {
    const file = Object.hasOwn(this.sources.files, name) ? this.sources.files[name] : undefined;
    if (file === undefined) return { value: this.#fromEnvironment(name), where: 'its environment' };
    const text = await readFile(path.resolve(this.sources.projectDir, file), 'utf8').catch(() => '');
    // Editors and `echo` end a file with a line break that is not part of the value.
    return { value: text.replace(/\r?\n$/, ''), where: `the file ${file}` };
  }

  #fromEnvironment(name: string): string {
    return Object.hasOwn(this.sources.env, name) ? (this.sources.env[name] ?? '') : '';
  }

  #remember(values: readonly string[]): void {
    const before = this.#known.size;
    for (const value of values) this.#known.add(value);
    if (this.#known.size === before) return;
    this.#mask = createMask(this.#known);
    this.#maskBytes = createByteMask(this.#known);
  }
}

/** The password of an address, as written and decoded; nothing when it has none. */
export function passwordsOf(url: string | null): string[] {
  if (url === null || !URL.canParse(url)) return [];
  const { password, searchParams } = new URL(url);
  const written = [password, searchParams.get('password') ?? ''].filter((text) => text !== '');
  return written.flatMap((text) => [text, decode(text)]);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded after all: a bare % in it.
    return text;
  }
}
