/**
 * "Did you mean" for references. Comparing every wrong word with every known one takes their product in steps, so after some
 * wrong words no more suggestions are made: by then a person has another mistake to look for.
 */
import { nearestWord } from '../runtime/nearest.ts';
import { didYouMean } from './codes.ts';

const MAX_SUGGESTIONS = 25;

/** Makes a function that gives the hint for a word that is none of `known`, or undefined. */
export function createSuggester(known: Iterable<string>): (word: string) => string | undefined {
  const words = [...known];
  let left = MAX_SUGGESTIONS;
  return (word) => (left-- > 0 ? didYouMean(nearestWord(word, words)) : undefined);
}
