import { describe, expect, test } from 'vitest';
import { criticalPath } from '../../src/plan/estimate.ts';
import { compileGraph } from '../../src/plan/graph.ts';
import { toMermaid } from '../../src/plan/mermaid.ts';
import { graphPlan, planOf } from './plans.ts';

const pathOf = (plan: ReturnType<typeof graphPlan>) => criticalPath(plan, compileGraph(plan));

describe('the critical path', () => {
  test('is the longest way by upper bounds', () => {
    expect(
      pathOf(
        graphPlan('none', [
          { id: 'a', minutes: 5 },
          { id: 'b', minutes: 1, needs: [['a']] },
          { id: 'c', minutes: 7 },
        ]),
      ),
    ).toEqual({ tasks: ['c'], minMinutes: 7, maxMinutes: 7 });
  });

  test('takes ten minutes for a task without an estimate', () => {
    expect(pathOf(graphPlan('none', [{ id: 'a' }, { id: 'b', needs: [['a']] }]))).toEqual({
      tasks: ['a', 'b'],
      minMinutes: 20,
      maxMinutes: 20,
    });
  });

  test('goes through gates, which take no time', () => {
    expect(
      pathOf(
        graphPlan('stage', [
          { id: 'a', minutes: 1 },
          { id: 'b', minutes: 9 },
          { id: 'c', minutes: 1, needs: [['a']] },
        ]),
      ),
    ).toEqual({ tasks: ['b', 'c'], minMinutes: 10, maxMinutes: 10 });
  });

  test('may be another one by lower bounds', () => {
    const plan = planOf(
      'name: x\nbarrier: none\ndefaults: { run: x }\ntasks: { a: { estimate: 1m-9m }, b: { estimate: 5m } }',
    );
    expect(criticalPath(plan, compileGraph(plan))).toEqual({ tasks: ['a'], minMinutes: 5, maxMinutes: 9 });
  });
});

test('a drawing has a box for each stage, labels for conditions, and no syntax from titles', () => {
  const plan = planOf(
    `name: x\ndefaults: { run: x }\ntasks: { a: { title: 'Say "hi"] <b>' }, b: { needs: { task: a, when: failed } } }`,
  );
  expect(toMermaid(plan, compileGraph(plan))).toBe(`flowchart TD
  subgraph stage1["stage 1"]
    t0["a<br/>Say #34;hi#34;#93; #60;b#62;"]
  end
  subgraph stage2["stage 2"]
    t1["b"]
  end
  t0 -. failed .-> t1
`);
});
