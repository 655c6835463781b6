import { expect, test } from 'vitest';
import { compileReady, compileRunTree, type JobSpec, type ReadyTask } from '../../src/flows/compile.ts';
import { parseJobData, toJobData } from '../../src/flows/job-data.ts';
import { writeNode } from '../../src/flows/node.ts';

const ready = (index: number, group: number): ReadyTask => ({
  index,
  node: writeNode({ id: `t${index}`, m: 'development', p: 5, o: '1', g: group, x: 3, l: [] }),
});

const outline = (spec: JobSpec): unknown => ({
  id: spec.id,
  ...(spec.parent === undefined ? {} : { under: spec.parent.id }),
  ...(spec.children === undefined ? {} : { children: spec.children.map(outline) }),
});

test('without barriers tasks hang under the run job', () => {
  expect(outline(compileRunTree('r', [ready(0, 0), ready(1, 0)]))).toEqual({
    id: 'r',
    children: [{ id: 'r.t0' }, { id: 'r.t1' }],
  });
  expect(compileReady('r', [ready(2, 0)], { group: 0, parentId: 'r' }).map(outline)).toEqual([
    { id: 'r.t2', under: 'r' },
  ]);
});

test('with barriers a group has a stage job between the run and its tasks', () => {
  expect(outline(compileRunTree('r', [ready(0, 1), ready(1, 1)]))).toEqual({
    id: 'r',
    children: [{ id: 'r.stage-1', children: [{ id: 'r.t0' }, { id: 'r.t1' }] }],
  });
  expect(compileReady('r', [ready(2, 2), ready(3, 2)], { group: 1, parentId: 'r.stage-1' }).map(outline)).toEqual([
    { id: 'r.stage-2', under: 'r', children: [{ id: 'r.t2' }, { id: 'r.t3' }] },
  ]);
});

test('a task that becomes ready in the group of the one that let it go joins the same stage job', () => {
  const [joined] = compileReady('r', [ready(4, 2)], { group: 2, parentId: 'r.stage-2' });
  expect(joined?.parent).toEqual({ id: 'r.stage-2' });
});

test('no task gets a parent that may have ended', () => {
  // The settling job hangs under the run, so nobody keeps the stage job of its group alive.
  const [late] = compileReady('r', [ready(4, 2)], { group: 2, parentId: 'r' });
  expect(late?.parent).toEqual({ id: 'r' });
  const [earlier] = compileReady('r', [ready(5, 1)], { group: 2, parentId: 'r.stage-2' });
  expect(earlier?.parent).toEqual({ id: 'r' });
});

test('lost jobs are added flat under the run job, whatever their group', () => {
  expect(outline(compileRunTree('r', [ready(0, 1), ready(1, 3)], true))).toEqual({
    id: 'r',
    children: [{ id: 'r.t0' }, { id: 'r.t1' }],
  });
});

test('job data is read back as it was written, and nothing else is', () => {
  for (const data of [
    { v: 1 as const, kind: 'run' as const, run: 'r' },
    { v: 1 as const, kind: 'stage' as const, run: 'r', group: 2 },
    { v: 1 as const, kind: 'task' as const, run: 'r', index: 0 },
  ])
    expect(parseJobData(JSON.parse(JSON.stringify(toJobData(data))))).toEqual(data);
  for (const hostile of [
    null,
    'x',
    {},
    { v: 2, run: 'r' },
    { v: 1, run: '' },
    { v: 1, run: 'r', i: -1 },
    { v: 1, run: 'r', i: '0' },
    { v: 1, run: 7, i: 0 },
    { command: 'rm -rf /' },
  ])
    expect(parseJobData(hostile)).toBeNull();
});
