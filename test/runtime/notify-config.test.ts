import { describe, expect, it } from 'vitest';
import { readNotify } from '../../src/runtime/notify-config.ts';
import type { Problem } from '../../src/runtime/problem.ts';

function read(value: unknown) {
  const problems: Problem[] = [];
  return { entries: readNotify(value, 'planq.config.json', problems), problems };
}
const messagesOf = (value: unknown): string[] => read(value).problems.map(({ message }) => message);
const hook = (webhook: string, more: object = {}) => [{ on: ['failed'], webhook, ...more }];

describe('the list of receivers', () => {
  it('is empty unless it is given', () => {
    expect(read(undefined)).toEqual({ entries: [], problems: [] });
  });

  it('has commands and webhooks, each with what it is told of', () => {
    const { entries, problems } = read([
      { on: ['blocked', 'approval'], command: './tell.sh' },
      { on: ['failed'], webhook: 'https://Hooks.Example.com/a', secretEnv: 'HOOK_SECRET' },
      { on: ['completed'], webhook: 'http://ci.internal:8080/', allowHosts: ['CI.internal', '[fd00::1]'] },
    ]);
    expect(problems).toEqual([]);
    expect(entries).toEqual([
      { on: ['blocked', 'approval'], command: './tell.sh' },
      { on: ['failed'], webhook: 'https://hooks.example.com/a', secretEnv: 'HOOK_SECRET', allowHosts: [] },
      {
        on: ['completed'],
        webhook: 'http://ci.internal:8080/',
        secretEnv: null,
        allowHosts: ['ci.internal', 'fd00::1'],
      },
    ]);
  });

  it('tells every mistake with its place and the nearest word', () => {
    const { problems } = read([
      { on: ['complete'], comand: 'x' },
      { on: [], command: 'x' },
      'x',
      { on: ['failed'], command: 'x', webhook: 'https://example.com' },
      { on: ['failed'], command: 'y', secretEnv: 'A' },
    ]);
    expect(problems.map(({ message, hint }) => (hint === undefined ? message : `${message} | ${hint}`))).toEqual([
      'unknown key "notify[0].comand" | did you mean "command"?',
      '"notify[0].on" has the unknown word "complete" | did you mean "completed"?',
      '"notify[0]" must have "command" or "webhook", one of the two',
      '"notify[1].on" must be a list of at least one of "blocked", "completed", "failed", "cancelled", "approval"',
      '"notify[2]" must be an object',
      '"notify[3]" must have "command" or "webhook", one of the two',
      '"notify[4].secretEnv" is for a webhook, and this is a command',
    ]);
  });

  it.each([
    [{ on: ['failed'], command: 'x' }, '"notify" must be a list of objects, at most 20'],
    [[{ on: ['failed'], command: ' ' }], '"notify[0].command" must be a shell line'],
    [hook('example.com'), '"notify[0].webhook" must be a URL such as "https://example.com/hook"'],
    [
      hook('https://example.com', { secretEnv: 's3cret!' }),
      '"notify[0].secretEnv" must be the name of an environment variable',
    ],
    [hook('https://example.com', { allowHosts: 'a' }), '"notify[0].allowHosts" must be a list of host names'],
    [
      hook('https://example.com', { allowHosts: ['a:80'] }),
      '"notify[0].allowHosts" has "a:80", which is not a host name',
    ],
    [
      hook('https://example.com', { allowHosts: ['https://a'] }),
      '"notify[0].allowHosts" has "https://a", which is not a host name',
    ],
    [[...hook('https://a.org'), ...hook('https://a.org/')], '"notify" has the same receiver twice'],
  ])('refuses %j', (value, message) => {
    expect(messagesOf(value)).toEqual([message]);
  });
});

describe('a webhook', () => {
  it.each([
    'https://2130706433/',
    'https://0x7f.1/',
    'https://017700000001/',
    'https://127.1/',
    'https://0/',
    'https://[::]/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.100.100.200/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.0.1/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://a.localhost/',
    'https://①②⑦.0.0.1/',
  ])('does not lead inside by %s', (url) => {
    expect(messagesOf(hook(url))).toEqual([expect.stringMatching(/^"notify\[0\].webhook" leads to the internal host/)]);
  });

  it.each(['https://example.com@127.0.0.1/', 'https://user:password@example.com/', 'https://@@example.com/'])(
    'has no user name: %s',
    (url) => {
      expect(messagesOf(hook(url))).toEqual(['"notify[0].webhook" has a user name or password']);
    },
  );

  it.each(['http://example.com/', 'ftp://example.com/', 'file:///etc/passwd'])(
    'is not spoken to in clear: %s',
    (url) => {
      expect(messagesOf(hook(url))).toEqual(['"notify[0].webhook" must begin with https://']);
    },
  );

  it('may lead to a host that is allowed by name, and to no other', () => {
    expect(messagesOf(hook('http://127.0.0.1:8080/', { allowHosts: ['127.0.0.1'] }))).toEqual([]);
    expect(messagesOf(hook('https://localhost/', { allowHosts: ['localhost'] }))).toEqual([]);
    expect(messagesOf(hook('https://localhost/', { allowHosts: ['127.0.0.1'] }))).toHaveLength(1);
  });

  it('is not quoted in a mistake: its path is often a secret', () => {
    const { problems } = read(hook('http://hooks.example.com/services/s3cr3t'));
    expect(JSON.stringify(problems)).not.toContain('s3cr3t');
  });
});
