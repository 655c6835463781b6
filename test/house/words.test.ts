import { describe, expect, it } from 'vitest';
import { listRepository, readRepository } from '../support/repository.ts';

/** Put together here, so that this file does not hold what it looks for. */
const UNWANTED = [
  // Absolute paths of somebody's machine.
  `(?<![\\w.@-])/${'work'}/`,
  `(?<![\\w.@-])/${'root'}/`,
  // Notes that are not part of the project, and their numbering.
  ...['seeds', 'design', 'style', 'reliability'].map((note) => `\\b${note}\\.${'md'}\\b`),
  `\\b${'S'}\\d-\\d+\\b`,
  `\\b${'X'}-\\d{1,2}\\b`,
  `\\b${'seed'} 00\\d\\b`,
  `\\b${'issues'} (?:show|list|close)\\b`,
].map((pattern) => new RegExp(pattern, 'i'));

const files = listRepository()
  .filter((name) => name !== 'package-lock.json')
  .map((name) => ({ name, text: readRepository(name) }));

describe('no file of the repository', () => {
  it('names a path of the machine it was written on, or notes that readers do not have', () => {
    const found = files.flatMap(({ name, text }) =>
      text
        .split('\n')
        .flatMap((line, i) => (UNWANTED.some((word) => word.test(line)) ? [`${name}:${i + 1}: ${line.trim()}`] : [])),
    );
    expect(found).toEqual([]);
  });

  it('has lost its last line break, mixes line ends or carries spaces that nobody sees', () => {
    const untidy = files.filter(({ name, text }) => {
      if (text === '') return false;
      return !text.endsWith('\n') || text.includes('\r') || (!name.endsWith('.md') && /[ \t]$/m.test(text));
    });
    expect(untidy.map(({ name }) => name)).toEqual([]);
  });
});

describe('the check itself', () => {
  it.each([
    `cd /${'work'}/main`,
    `"/${'root'}/.cache"`,
    `see ${'seeds'}.md 2.13`,
    `row ${'S'}4-16`,
    `as ${'X'}-49 says`,
    `${'seed'} 004's layout`,
  ])('finds %s', (text) => {
    expect(UNWANTED.some((word) => word.test(text))).toBe(true);
  });

  it.each([
    'workspace/outputs/',
    './work/a',
    'https://example.org/a',
    'src/root/a',
    'UTF-8',
    'docs/plans.md',
    'X-Planq: 1',
  ])('lets %s be', (text) => {
    expect(UNWANTED.some((word) => word.test(text))).toBe(false);
  });
});
