/** What a file of this folder gives: one or several parts that are measured together. */
import type { Lab } from '../lab.ts';
import type { Part } from '../options.ts';
import type { Row } from '../rows.ts';

/** A list for whoever looks for a cause; printed after the table. */
export interface Detail {
  name: string;
  lines: string[];
}

export interface Findings {
  rows: Row[];
  details?: Detail[];
}

export interface PartFile {
  parts: readonly Part[];
  measure(lab: Lab): Promise<Findings>;
}
