/** What the agents of the fault tests wrote down themselves: they are the drill's. */
export * from '../../src/drill/journal.ts';
export { machineMs as monotonicMs } from '../../src/runtime/clock.ts';
