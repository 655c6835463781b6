import { describe, expect, it } from 'vitest';
import { createMask, maskDeep } from '../../src/runtime/mask.ts';
import { MaskedLines } from '../../src/runtime/masked-lines.ts';
import { Secrets } from '../../src/runtime/secrets.ts';

const VALUE = 'pa$$"w\\o(rd*ä';

describe('a mask', () => {
  it.each([
    ['as it is', VALUE],
    ['in base64', Buffer.from(VALUE).toString('base64').replace(/=+$/, '')],
    ['in base64 for addresses', Buffer.from(VALUE).toString('base64url')],
    ['URL-encoded', encodeURIComponent(VALUE)],
    ['escaped as in JSON', JSON.stringify(VALUE).slice(1, -1)],
  ])('finds a secret %s', (_form, text) => {
    expect(createMask([VALUE])(`before ${text} and ${text} after`)).toBe('before *** and *** after');
  });

  it('finds every line of a longer secret', () => {
    const mask = createMask(['-----BEGIN KEY-----\nAAAABBBBCCCC\nshort\n']);
    expect(mask('x AAAABBBBCCCC y short')).toBe('x *** y short');
  });

  it('leaves nothing of a secret that holds another', () => {
    expect(createMask(['password', 'password-and-more'])('password-and-more password')).toBe('*** ***');
  });

  it('leaves values alone that are shorter than eight characters, and everything without a secret', () => {
    expect(createMask(['short12'])('short12')).toBe('short12');
    expect(createMask([])('text')).toBe('text');
  });

  it('reaches every text of a value, keys too, and nothing else', () => {
    const value = { list: [VALUE, 7, null], [VALUE]: { deep: `<${VALUE}>` }, yes: true };
    const masked = { list: ['***', 7, null], '***': { deep: '<***>' }, yes: true };
    expect(maskDeep(value, createMask([VALUE]))).toEqual(masked);
  });
});

describe('masked lines', () => {
  const secrets = new Secrets({ env: {}, files: {}, projectDir: '/' }, [VALUE]);

  it('find a secret that two chunks share, and keep other bytes as they are', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(` ${VALUE}\nlast ${VALUE}`)]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const lines = new MaskedLines(secrets);
      const parts = [lines.push(bytes.subarray(0, cut)), lines.push(bytes.subarray(cut)), lines.finish()];
      const expected = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(' ***\nlast ***')]);
      expect(Buffer.concat(parts)).toEqual(expected);
    }
  });

  it('are passed on at once where nothing is secret', () => {
    const lines = new MaskedLines(new Secrets({ env: {}, files: {}, projectDir: '/' }));
    expect(lines.push(Buffer.from('no end')).toString()).toBe('no end');
  });
});
