import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FAKE_OPTIONS } from '../../src/agents/fake-options.ts';
import { AGENT_PROBLEM_CODES } from '../../src/agents/option-problems.ts';
import { KNOWN_AGENTS } from '../../src/agents/registry.ts';

const docs = readFileSync(new URL('../../docs/agents.md', import.meta.url), 'utf8');

it.each([...KNOWN_AGENTS, ...FAKE_OPTIONS, ...Object.keys(AGENT_PROBLEM_CODES)])(
  'docs/agents.md explains `%s`',
  (word) => {
    expect(docs).toContain(`\`${word}\``);
  },
);
