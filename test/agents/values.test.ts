import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseValues, readValues } from '../../src/agents/values.ts';
import { makeAttempt } from '../support/agent.ts';

describe('PLANQ_OUTPUT', () => {
  it.each([
    ['a=1\nb=2\n', { a: '1', b: '2' }],
    ['a=1\r\nb=2\r\n', { a: '1', b: '2' }],
    ['a=x=y', { a: 'x=y' }],
    ['a=', { a: '' }],
    ['a=1\na=2', { a: '2' }],
    ['a = kept as it is ', { a: ' kept as it is ' }],
    ['a<<END\none\n\ntwo\nEND\nb=1', { a: 'one\n\ntwo', b: '1' }],
    ['a<<END\nEND', { a: '' }],
    ['a=b<<c', { a: 'b<<c' }],
    ['', {}],
  ])('%j is read', (text, values) => {
    expect(parseValues(text)).toEqual({ values, warnings: [] });
  });

  it('names each line that cannot be read, and reads the rest', () => {
    expect(parseValues('hello\ngood=1\n1x=2\n__proto__=3\nopen<<END\nno end')).toEqual({
      values: { good: '1' },
      warnings: [
        'PLANQ_OUTPUT line 1: expected key=value',
        'PLANQ_OUTPUT line 3: "1x" is not a name: a letter, then letters, digits, "_", "." or "-"',
        'PLANQ_OUTPUT line 4: "__proto__" is not a name: a letter, then letters, digits, "_", "." or "-"',
        'PLANQ_OUTPUT line 5: the text of "open" has no closing line "END"',
        'PLANQ_OUTPUT line 6: expected key=value',
      ],
    });
  });

  it('may be missing', async () => {
    expect(await readValues('/no/such/file', ['/no'])).toEqual({ ok: true, value: { values: {}, warnings: [] } });
  });

  it('is refused when it is too large', async () => {
    const { outputFile } = makeAttempt().invocation;
    writeFileSync(outputFile, 'x'.repeat(65_537));
    expect(await readValues(outputFile, [path.dirname(outputFile)])).toMatchObject({
      ok: false,
      error: expect.stringContaining('65537 bytes'),
    });
  });

  it('is refused when the agent has put a link or a pipe in its place', async () => {
    const { outputFile } = makeAttempt().invocation;
    symlinkSync('/etc/passwd', outputFile);
    expect(await readValues(outputFile, [path.dirname(outputFile)])).toMatchObject({ ok: false });
    execFileSync('mkfifo', [`${outputFile}.pipe`]);
    expect(await readValues(`${outputFile}.pipe`, [path.dirname(outputFile)])).toMatchObject({ ok: false });
  });
});
