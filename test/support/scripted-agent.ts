/**
 * An agent in this process whose attempts the test decides, and a journal of what it did. For tests of the scheduler, which
 * want thousands of tasks and no processes.
 */
import type { Agent, Invocation, Outcome } from '../../src/agents/agent.ts';

export interface JournalEntry {
  kind: 'start' | 'end';
  run: string;
  task: string;
  attempt: number;
}

export interface ScriptedAgent {
  agents: ReadonlyMap<string, Agent>;
  kinds: ReadonlySet<string>;
  journal: JournalEntry[];
  /** Tasks being performed now. */
  running: Set<string>;
}

/** @param outcomeOf decides an attempt; may take its time */
export function createScriptedAgent(outcomeOf: (invocation: Invocation) => Outcome | Promise<Outcome>): ScriptedAgent {
  const journal: JournalEntry[] = [];
  const running = new Set<string>();
  const perform = async (invocation: Invocation): Promise<Outcome> => {
    const { runId: run, attempt, task } = invocation;
    journal.push({ kind: 'start', run, task: task.id, attempt });
    running.add(task.id);
    try {
      return await outcomeOf(invocation);
    } finally {
      running.delete(task.id);
      journal.push({ kind: 'end', run, task: task.id, attempt });
    }
  };
  const agent: Agent = { kind: 'scripted', validate: () => [], perform };
  return { agents: new Map([['scripted', agent]]), kinds: new Set(['scripted']), journal, running };
}

/** Every attempt ends when the test lets it. */
export function createHeldAgent() {
  const held = new Map<string, () => void>();
  const agent = createScriptedAgent(
    (invocation: Invocation) =>
      new Promise<Outcome>((resolve) => held.set(invocation.task.id, () => resolve({ kind: 'completed' }))),
  );
  return { ...agent, release: (id: string) => held.get(id)?.() };
}
