import type { Task } from './plan.ts';

/** A task that does nothing and declares nothing ends before anybody could look at its folders: it gets none. */
export function leavesFiles(task: Pick<Task, 'agent' | 'outputs' | 'inputs' | 'check'>): boolean {
  return task.agent !== 'noop' || task.outputs.length > 0 || task.inputs.length > 0 || task.check !== null;
}
