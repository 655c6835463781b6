import { describe, expect, it } from 'vitest';
import { limitKey, parseNode, type RecordNode, readNode, writeNode } from '../../src/flows/node.ts';

const TASK: RecordNode = {
  id: 'b/c.d',
  m: 'development',
  p: 5,
  o: '300001700000000000',
  g: 2,
  x: 3,
  l: [
    ['phase:planning', 1, 2],
    ['res:gpu', 3],
    ['agents', 1],
  ],
  c: 1,
  h: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
};
const GATE: RecordNode = { id: 'gate:1', m: '', p: 0, o: '0', g: 1, x: 0, l: [] };

describe('a node of the record', () => {
  it('is read as it was written', () => {
    expect(parseNode(writeNode(TASK))).toEqual(TASK);
    expect(parseNode(writeNode(GATE))).toEqual(GATE);
  });

  it('that is damaged is none, and named in the error', () => {
    for (const text of ['', '[1]', '{"id":"a"}', 'a development 5']) {
      expect(readNode(text)).toBeNull();
      expect(() => parseNode(text)).toThrow(`cannot read a node of the run record: ${JSON.stringify(text)}`);
    }
  });
});

it('names a limit of a run by that run, a shared one by itself', () => {
  expect(TASK.l.map((take) => limitKey('r1', take))).toEqual(['run:r1:phase:planning', 'res:gpu', 'agents']);
});
