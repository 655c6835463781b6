/**
 * The fake agents' own journal: one line per start and end, written by the agents themselves, whatever became of the worker.
 */
import { readFile } from 'node:fs/promises';

export interface AgentEntry {
  event: 'start' | 'end';
  run: string;
  task: string;
  attempt: number;
  pid: number;
  at: number;
}

/** Empty while nobody has written. */
export async function readJournal(file: string): Promise<AgentEntry[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    // Not there before the first agent.
    return [];
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AgentEntry);
}
