import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonFault } from '../../../src/plan/formats/strict-json.ts';
import { parsePlan } from '../../../src/plan/parse.ts';
import { OPTIONS } from '../plans.ts';

const problemsOf = (text: string, file = 'plan.json') => {
  const parsed = parsePlan({ kind: 'file', file, text }, OPTIONS);
  return parsed.ok ? [] : parsed.error.map(({ code, line, column, message }) => [code, line, column, message]);
};

test.each([
  ['{\n  // why\n  "name": "x", "tasks": { "a": { "run": "true" } }\n}', 2, 3, 'a key in double quotes'],
  ['{\n  name: "x", "tasks": { "a": { "run": "true" } } }', 2, 3, 'a key in double quotes'],
  ['{ "name": "x", "tasks": { "a": { "run": "true", } } }', 1, 49, 'a key in double quotes'],
  ['{ "name": x, "tasks": { "a": { "run": "true" } } }', 1, 11, 'a value'],
  ['{ "name": \'x\', "tasks": { "a": { "run": "true" } } }', 1, 11, 'a value'],
  ['{ "name": "x" "tasks": {} }', 1, 15, '"," or "}"'],
  ['{ "name" "x" }', 1, 10, '":" after the key'],
  ['{ "name": "x', 1, 11, 'text that is valid and closed by double quotes'],
  ['{ "name": "x" } # end', 1, 17, 'the end of the file'],
  ['name: x\ntasks: { a: { run: "true" } }', 1, 1, 'a value'],
])('%j is no JSON, and the place is told', (text, line, column, expected) => {
  expect(problemsOf(text)).toEqual([
    ['syntax', line, column, `cannot read "plan.json" as JSON: ${expected} is missing here`],
  ]);
});

test('a .yaml file may have all that, and a .json file a mark at its beginning', () => {
  expect(problemsOf('# why\n{ name: x, tasks: { a: { run: "true", } } }', 'plan.yaml')).toEqual([]);
  expect(problemsOf('\uFEFF{ "name": "x", "tasks": { "a": { "run": "true" } } }')).toEqual([]);
});

test('a mistake is found in exactly the texts that JSON.parse refuses', () => {
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const text = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', '"', '\\', '#', ' ', '0', '\n'))
    .map(([json, at, insert]) => json.slice(0, at % (json.length + 1)) + insert + json.slice(at % (json.length + 1)));
  fc.assert(
    fc.property(text, (candidate) => (findJsonFault(candidate) === null) === isJson(candidate)),
    {
      numRuns: 2000,
    },
  );
});
