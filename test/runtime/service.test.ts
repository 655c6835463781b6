import { describe, expect, it } from 'vitest';
import { type Service, startAll, stopAll } from '../../src/runtime/service.ts';

/** A service that writes down what happens to it, and fails where told to. */
function createRecorded(name: string, log: string[], failing: { start?: boolean; stop?: boolean } = {}): Service {
  const act = (verb: 'start' | 'stop') => async () => {
    log.push(`${verb} ${name}`);
    if (failing[verb]) throw new Error(`${name} cannot ${verb}`);
  };
  return { start: act('start'), stop: act('stop') };
}

describe('startAll', () => {
  it('starts in order, one after the other', async () => {
    const log: string[] = [];
    await startAll([createRecorded('a', log), createRecorded('b', log)]);
    expect(log).toEqual(['start a', 'start b']);
  });

  it('stops what had started, last first, when one fails, and throws that failure', async () => {
    const log: string[] = [];
    const services = [
      createRecorded('a', log),
      createRecorded('b', log),
      createRecorded('c', log, { start: true }),
      createRecorded('d', log),
    ];
    await expect(startAll(services)).rejects.toThrow('c cannot start');
    expect(log).toEqual(['start a', 'start b', 'start c', 'stop b', 'stop a']);
  });
});

describe('stopAll', () => {
  it('stops last first and leaves the list as it was', async () => {
    const log: string[] = [];
    const services = [createRecorded('a', log), createRecorded('b', log)];
    const order = [...services];
    await stopAll(services);
    expect(log).toEqual(['stop b', 'stop a']);
    expect(services).toEqual(order);
  });

  it('goes on when one fails, and throws the first failure at the end', async () => {
    const log: string[] = [];
    const services = ['a', 'b', 'c'].map((name) => createRecorded(name, log, { stop: name !== 'a' }));
    await expect(stopAll(services)).rejects.toThrow('c cannot stop');
    expect(log).toEqual(['stop c', 'stop b', 'stop a']);
  });

  it('has nothing to do for nothing', async () => {
    await expect(stopAll([])).resolves.toBeUndefined();
  });
});
