import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { toVariables } from '../../src/notify/command.ts';
import { testNotification } from '../../src/notify/notification.ts';
import { sign } from '../../src/notify/signature.ts';
import { NOTIFY_TYPES, readNotify } from '../../src/runtime/notify-config.ts';
import type { Problem } from '../../src/runtime/problem.ts';
import { readRepository } from '../support/repository.ts';

const text = readRepository('docs/notify.md');
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map((match) => match[1]!);

it('docs/notify.md shows a configuration without mistakes, and a notification with all its fields', () => {
  const [config, notification] = blocks('json').map((json) => JSON.parse(json) as Record<string, unknown>);
  const problems: Problem[] = [];
  expect(readNotify(config?.notify, 'planq.config.json', problems)).toHaveLength(3);
  expect(problems).toEqual([]);
  expect(Object.keys(notification!)).toEqual(Object.keys(testNotification('a', 0, '1')));
});

it('docs/notify.md has a receiver in JavaScript that takes what is signed, and nothing else', () => {
  const now = 1_800_000_000_000;
  const header = sign('s3cret', '{"a":1}', now);
  const cases = [
    ['s3cret', header, '{"a":1}', now],
    ['s3cret', header, '{"a":1}', now + 299_000],
    ['s3cret', header, '{"a":2}', now],
    ['other', header, '{"a":1}', now],
    ['s3cret', header, '{"a":1}', now + 301_000],
    ['s3cret', header.replace('t=18', 't=17'), '{"a":1}', now],
    ['s3cret', 'v1=', '{"a":1}', now],
  ];
  const program = `${blocks('js')[0]}\nconsole.log(JSON.stringify(${JSON.stringify(cases)}.map((one) => verify(...one))));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual([true, true, false, false, false, false, false]);
});

it('docs/notify.md names every word, variable and header', () => {
  for (const word of [...NOTIFY_TYPES, ...Object.keys(toVariables(testNotification('a', 0, '1')))])
    expect(text).toContain(`\`${word}\``);
});
