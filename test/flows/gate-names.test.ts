import { describe, expect, it } from 'vitest';
import { gateNames, gatesNamed } from '../../src/flows/gate-names.ts';
import { parseNode } from '../../src/flows/node.ts';
import { compileRecord } from '../../src/flows/record.ts';
import { toRunView } from '../../src/flows/run-view.ts';
import { testPlan } from '../support/app.ts';

/** The run's hash and definitions, as submit stores them. */
function stored(document: Record<string, unknown>) {
  const { plan, graph } = testPlan({ defaults: { agent: 'noop' }, ...document });
  const { gates, defs, nodes } = compileRecord(plan, graph, { run: 'r', createdAt: 0, phaseLimits: {}, agents: null });
  const meta = { gates: JSON.stringify(gates), tasks: String(defs.length), nodes: String(nodes.length) };
  return { meta, defs, ids: nodes.map((node) => parseNode(node).id) };
}

const PHASES = {
  barrier: 'phase',
  tasks: {
    a: { phase: 'analysis' },
    b: { phase: 'planning', needs: 'a' },
    c: { phase: 'implementation', needs: { task: 'b', when: 'done' } },
  },
};

describe('gates', () => {
  it('are named by the group that they stand after, whatever the barrier', () => {
    for (const document of [{ tasks: { a: {}, b: { needs: 'a' }, c: { needs: 'b' } } }, PHASES]) {
      const { meta, ids } = stored(document);
      const names = gateNames(meta);
      expect(names.size).toBe(ids.length - 3);
      for (const [index, name] of names) expect(ids[index]).toMatch(new RegExp(`^${name}(:ended)?$`));
    }
    expect(gateNames(stored({ barrier: 'none', tasks: { a: {} } }).meta).size).toBe(0);
  });

  it('of one name are all found', () => {
    const { meta, ids } = stored(PHASES);
    expect(gatesNamed(meta, 'gate:1').map((index) => ids[index])).toEqual(['gate:1', 'gate:1:ended']);
    expect(gatesNamed(meta, 'gate:9')).toEqual([]);
  });

  it('stand in a view by their names, once', () => {
    const { meta, defs } = stored(PHASES);
    const [first = 0, second = 0] = gatesNamed(meta, 'gate:1');
    const view = toRunView('r', meta, defs, { 2: JSON.stringify({ s: 'blocked', b: [second, first] }) });
    expect(view.tasks[2]?.blockedBy).toEqual(['gate:1']);
  });
});
