import { expect, it } from 'vitest';
import * as planq from '../src/index.ts';

it('the public API is this and no more', () => {
  expect(Object.keys(planq).sort()).toEqual(['PlanqError', 'createApp']);
});
