/** The command line before any command does its work. */
import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { runCli } from '../../src/cli/program.ts';

const ARGUMENTS = COMMANDS.flatMap(({ name, arguments: words }) =>
  [...words.matchAll(/[<[](\w+)/g)].map((match, at, all) => ({ name, word: match[1]!, at, count: all.length })),
);

/** Performs a command line that is refused before it touches anything but the two streams. */
async function refused(...argv: string[]): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const write = (text: string): void => {
    stderr += text;
  };
  const stream = { write, on: () => undefined };
  const code = await runCli(argv, { stdout: stream, stderr: stream, env: {} } as unknown as NodeJS.Process);
  return { code, stderr };
}

test.each(ARGUMENTS)(
  '$name refuses a <$word> that is empty or blank, and names it',
  async ({ name, word, at, count }) => {
    for (const blank of ['', ' \t\n']) {
      const words = Array.from({ length: count }, (_, index) => (index === at ? blank : 'x'));
      const { code, stderr } = await refused(name, ...words);
      expect(code).toBe(2);
      expect(stderr).toContain(`error usage: argument <${word}> must not be empty`);
      expect(stderr).toContain(`see "planq ${name} --help"`);
    }
  },
);

test('the arguments of the commands are found', () => {
  expect(ARGUMENTS.filter(({ word }) => word === 'run').length).toBeGreaterThan(10);
});
