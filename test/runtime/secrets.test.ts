import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { looksSecret } from '../../src/runtime/secret-names.ts';
import { passwordsOf, Secrets } from '../../src/runtime/secrets.ts';

it('takes a value from its file before the environment, anew each time, and masks the old one too', async () => {
  const projectDir = mkdtempSync(path.join(tmpdir(), 'planq-secrets-'));
  onTestFinished(() => rmSync(projectDir, { recursive: true, force: true }));
  const env = { API_KEY: 'from-environment', OTHER_KEY: 'other-from-environment' };
  const secrets = new Secrets({ env, files: { API_KEY: 'key.txt' }, projectDir });
  writeFileSync(path.join(projectDir, 'key.txt'), 'first-value\n');
  expect((await secrets.read(['API_KEY', 'OTHER_KEY'])).values).toEqual({
    API_KEY: 'first-value',
    OTHER_KEY: 'other-from-environment',
  });
  writeFileSync(path.join(projectDir, 'key.txt'), 'second-value');
  expect((await secrets.read(['API_KEY'])).values).toEqual({ API_KEY: 'second-value' });
  expect(secrets.mask('first-value second-value from-environment')).toBe('*** *** from-environment');
});

it('says where it looked for what is not there, and what is too short to be masked', async () => {
  const secrets = new Secrets({ env: { EMPTY: '', PIN: '1234' }, files: { GONE: 'no/such' }, projectDir: '/nowhere' });
  expect(await secrets.read(['EMPTY', 'GONE', 'PIN', '__proto__'])).toEqual({
    values: { PIN: '1234' },
    missing: [
      { name: 'EMPTY', where: 'its environment' },
      { name: 'GONE', where: 'the file no/such' },
      { name: '__proto__', where: 'its environment' },
    ],
    short: ['PIN'],
  });
});

it.each(['GITHUB_TOKEN', 'OPENAI_API_KEY', 'DB_PASSWORD', 'PASSWORD', 'AWS_SECRET_ACCESS_KEY', 'KEYS'])(
  'takes %s for the name of a secret',
  (name) => expect(looksSecret(name)).toBe(true),
);

it.each(['PWD', 'MONKEY', 'TOKENIZER', 'KEY_FILE', 'PATH', 'MODE'])('takes %s for no secret', (name) =>
  expect(looksSecret(name)).toBe(false),
);

it('knows the password of an address, written and decoded', () => {
  expect(passwordsOf('rediss://planq:a%2Fb@host:1')).toEqual(['a%2Fb', 'a/b']);
  expect(passwordsOf('redis://host?password=pw')).toEqual(['pw', 'pw']);
  expect([passwordsOf('redis://host'), passwordsOf('/tmp/socket'), passwordsOf(null)]).toEqual([[], [], []]);
});
