import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAgents, KNOWN_AGENTS } from '../../src/agents/registry.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { availableIsolations } from '../support/isolations.ts';
import { type AgentSample, exerciseAgent } from './exercise-agent.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'planq-functions-'));
const module = path.join(folder, 'functions.mjs');

beforeAll(() => {
  writeFileSync(
    module,
    `export const quick = () => 1;
     export const bad = () => { throw new Error('bad'); };
     export const endless = () => new Promise(() => setInterval(() => {}, 1000));`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const SAMPLES: AgentSample[] = [
  { kind: 'noop', succeeds: {} },
  {
    kind: 'command',
    succeeds: { run: 'true' },
    fails: { run: 'exit 3' },
    lastsForEver: { run: 'sleep 1000' },
  },
  {
    kind: 'fake',
    succeeds: { with: { work: '10ms' } },
    fails: { with: { work: '10ms', 'fail-times': 'always' } },
    lastsForEver: { with: { hang: true } },
  },
  {
    kind: 'function',
    succeeds: { with: { module, export: 'quick' } },
    fails: { with: { module, export: 'bad' } },
    lastsForEver: { with: { module, export: 'endless' } },
  },
];

// In every way that this machine has.
for (const isolation of await availableIsolations()) for (const sample of SAMPLES) exerciseAgent(sample, isolation);

describe('the registry', () => {
  it('knows the same kinds as it creates', () => {
    const agents = createAgents({ clock: systemClock });
    expect(new Set(agents.keys())).toEqual(KNOWN_AGENTS);
    for (const [kind, agent] of agents) expect(agent.kind).toBe(kind);
  });
});
