/**
 * The fields of a task file's front matter, whichever reader read them.
 */
import type { Problem } from '../../runtime/problem.ts';
import type { Place } from '../codes.ts';

/** A value of front matter: one text, or a list of texts. Numbers and words like `true` are texts here. */
export interface FieldValue {
  value: string | string[];
  place: Place;
  /** Places of the entries of a list. */
  entries: Place[];
}

export interface FieldList {
  fields: Map<string, FieldValue>;
  /** Notes on what was ignored. */
  problems: Problem[];
}
