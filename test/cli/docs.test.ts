import { describe, expect, it } from 'vitest';
import { COMMANDS, GLOBAL_OPTIONS } from '../../src/cli/commands.ts';
import { ERRORS } from '../../src/runtime/errors.ts';
import { readRepository } from '../support/repository.ts';

const text = readRepository('docs/cli.md');

describe('docs/cli.md', () => {
  it('has every command as it is called', () => {
    const missing = COMMANDS.filter(
      ({ name, arguments: words }) => !text.includes(`\`planq ${name} ${words}`.trimEnd()),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('has every option', () => {
    const flags = [...COMMANDS.flatMap(({ options }) => options), ...GLOBAL_OPTIONS].map(
      (option) => /--[\w-]+/.exec(option.flags)![0],
    );
    expect([...new Set(flags)].filter((flag) => !text.includes(flag))).toEqual([]);
  });

  it('has every exit code', () => {
    const codes = [...new Set(Object.values(ERRORS).map(({ exit }) => exit))];
    expect(codes.filter((code) => !text.includes(`| ${code} | `))).toEqual([]);
  });
});
