import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { COMMANDS, GLOBAL_OPTIONS } from '../../src/cli/commands.ts';
import { parseCount, parseMasters } from '../../src/cli/options.ts';

describe('--masters', () => {
  it('gives each master its share; a name alone has as many as the worker', () => {
    expect(parseMasters('development=4,security=2')).toEqual({ development: 4, security: 2 });
    expect(parseMasters(' a = 1 , b')).toEqual({ a: 1, b: null });
  });

  it.each(['', 'a=', 'a=0', 'a=x', 'a=1.5', 'a=1=2', '=3', 'a,,b', 'a=1,a=2', '-a=1'])('refuses %j', (text) => {
    expect(() => parseMasters(text)).toThrow(InvalidArgumentError);
  });
});

describe('a count', () => {
  it('is a whole number, 1 or more', () => {
    expect(parseCount('12')).toBe(12);
    for (const text of ['0', '-1', '1.5', 'x', '', '1e3', '99999999999999999999'])
      expect(() => parseCount(text)).toThrow(InvalidArgumentError);
  });
});

describe('the table of commands', () => {
  it('names each command and each option of a command once', () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { options } of COMMANDS) {
      const flags = [...options, ...GLOBAL_OPTIONS].map((option) => /--[\w-]+/.exec(option.flags)?.[0]);
      expect(new Set(flags).size).toBe(flags.length);
    }
  });

  it('has a file for each command that can be loaded', async () => {
    for (const { load } of COMMANDS) expect(await load()).toBeTypeOf('function');
  });
});
