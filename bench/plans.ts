/** The plans that are measured. All tasks are `noop`: what is left is planq's own cost. */

export interface PlanDocument {
  name: string;
  barrier: 'stage' | 'none';
  limits?: Record<string, number>;
  defaults: { agent: 'noop' };
  tasks: Record<string, Record<string, unknown>>;
}

/** The graph, masters, phases, estimates and limits of examples/authentication.yaml: 6 tasks in 5 stages. */
export function authentication(barrier: PlanDocument['barrier']): PlanDocument {
  const estimate = (minutes: [number, number], tokens: number) => ({ estimate: { minutes, tokens } });
  return {
    name: 'Add authentication',
    barrier,
    limits: { agents: 4 },
    defaults: { agent: 'noop' },
    tasks: {
      design: { phase: 'planning', ...estimate([15, 20], 5000) },
      backend: { needs: ['design'], ...estimate([20, 30], 15_000) },
      frontend: { needs: ['design'], ...estimate([15, 25], 12_000) },
      tests: { phase: 'validation', needs: ['backend', 'frontend'], ...estimate([15, 20], 8000) },
      'security-review': {
        master: 'security',
        phase: 'validation',
        priority: 'high',
        needs: ['tests'],
        ...estimate([10, 12], 10_000),
      },
      docs: { master: 'inventory', needs: ['security-review'], ...estimate([5, 8], 4000) },
    },
  };
}

export const AUTHENTICATION_TASKS = 6;

function plan(name: string, tasks: PlanDocument['tasks'], more: Partial<PlanDocument> = {}): PlanDocument {
  return { name, barrier: 'none', defaults: { agent: 'noop' }, tasks, ...more };
}

const numbered = (count: number, needs: (at: number) => string[]): PlanDocument['tasks'] =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`t${at}`, needs(at).length === 0 ? {} : { needs: needs(at) }]),
  );

/** Tasks one after the other. */
export function chain(count: number): PlanDocument {
  return plan(
    `chain of ${count}`,
    numbered(count, (at) => (at === 0 ? [] : [`t${at - 1}`])),
  );
}

/** Tasks that need nothing. @param agents how many of them at once */
export function wide(count: number, agents?: number): PlanDocument {
  const more = agents === undefined ? {} : { limits: { agents } };
  return plan(
    `${count} side by side`,
    numbered(count, () => []),
    more,
  );
}

/** What 10,000 finished runs are made of. */
export function single(): PlanDocument {
  return plan('one task', { only: {} });
}

/** One stage of many, and one task after it. */
export function stageAndOne(count: number): PlanDocument {
  const tasks = numbered(count, () => []);
  return plan(`stage of ${count}`, { ...tasks, last: { needs: Object.keys(tasks) } }, { barrier: 'stage' });
}

/** Layers of ten; each task needs three of the layer before. */
export function layered(count: number): PlanDocument {
  const needs = (at: number): string[] => {
    const layer = Math.floor(at / 10);
    if (layer === 0) return [];
    return [0, 1, 2].map((step) => `t${(layer - 1) * 10 + ((at + step) % 10)}`);
  };
  return plan(`${count} in layers`, numbered(count, needs));
}
