import { expect, test } from 'vitest';
import { selectPhase } from '../../src/plan/select.ts';
import { planOf } from './plans.ts';

const plan = planOf(
  'name: x\ndefaults: { run: x }\nstages: [[a], [b], [c]]\ntasks: { a: { phase: analysis }, b: { phase: analysis, needs: a }, c: { needs: [a, b] } }',
);

test.each(['analysis', '01-analysis'])('the phase %s can be taken out of a plan', (phase) => {
  const selected = selectPhase(plan, phase);
  expect(selected.ok && selected.value.plan).toMatchObject({
    stages: [['a'], ['b']],
    tasks: [{ id: 'a' }, { id: 'b', needs: [{ task: 'a' }] }],
  });
  expect(selected.ok && selected.value.dropped).toEqual([]);
});

test('needs onto other phases are dropped and told', () => {
  const selected = selectPhase(plan, 'implementation');
  expect(selected.ok && selected.value.plan.tasks).toMatchObject([{ id: 'c', needs: [] }]);
  expect(selected.ok && selected.value.dropped).toEqual([
    { task: 'c', need: 'a' },
    { task: 'c', need: 'b' },
  ]);
});

test('an unknown phase gets the nearest one as a hint', () => {
  expect(selectPhase(plan, '01-anlysis')).toMatchObject({
    ok: false,
    error: { code: 'unknown-phase', hint: 'did you mean "analysis"?' },
  });
  expect(selectPhase(plan, 'deploy')).toMatchObject({ ok: false, error: { hint: 'it has analysis, implementation' } });
});
