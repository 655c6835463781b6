import { describe, expect, it } from 'vitest';
import { nearestWord } from '../../src/runtime/nearest.ts';

const WORDS = ['needs', 'timeout', 'continue-on-error', 'retries', 'env', 'outputs', 'inputs'];

describe('nearestWord', () => {
  it.each([
    ['need', 'needs'],
    ['nedes', 'needs'],
    ['Timeout', 'timeout'],
    ['timout', 'timeout'],
    ['tiemout', 'timeout'],
    ['continue_on_error', 'continue-on-error'],
    ['retires', 'retries'],
    ['ouputs', 'outputs'],
    ['evn', 'env'],
  ])('takes %s for a slip of %s', (slip, word) => {
    expect(nearestWord(slip, WORDS)).toBe(word);
  });

  it.each(['banana', 'x', '', 'dependencies'])('does not guess at "%s"', (word) => {
    expect(nearestWord(word, WORDS)).toBeUndefined();
  });

  it('prefers the nearest, and of equals the first', () => {
    expect(nearestWord('input', ['output', 'inputs'])).toBe('inputs');
    expect(nearestWord('bat', ['cat', 'rat'])).toBe('cat');
  });

  it('knows nothing where nothing is known', () => {
    expect(nearestWord('needs', [])).toBeUndefined();
  });
});
