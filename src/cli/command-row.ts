/** A row of the table of commands, and options that many rows share. */
import type { Command } from './context.ts';
import type { OptionRow } from './options.ts';

export interface CommandRow {
  name: string;
  /** Commander's notation. */
  arguments: string;
  about: string;
  options: readonly OptionRow[];
  load(): Promise<Command>;
}

export const JSON_OPTION: OptionRow = { flags: '--json', about: 'print JSON for programs' };
