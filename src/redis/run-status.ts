/**
 * What claims and settles change of a run, as one short text of its record: its state, what is to be looked at, how many
 * tasks it has and in which states, what is in use of its own limits. The scripts' `status_of` reads and writes the same.
 */

/** The states that a run's tasks are counted in; then how many wait for approval, gates that do, tolerated failures. */
const COUNTED = ['pending', 'ready', 'running', 'parked', 'completed', 'failed', 'blocked', 'skipped', 'cancelled'];
const COUNTS = [...COUNTED, 'approval', 'gated', 'tolerated'];

/** No state yet: the run is only staged. */
const NONE = '-';

/** @param limits names of the limits that are the run's own */
export function writeStagedStatus(tasks: number, wantsApprovals: boolean, limits: readonly string[]): string {
  const counts = COUNTS.map((name) => (name === 'pending' ? tasks : 0));
  const words = [NONE, wantsApprovals ? '100' : '000', tasks, ...counts].join(' ');
  return `${words}\t${limits.map((name) => `${name} 0`).join()}`;
}

/** @returns by name: `state`, `tasks`, and a count as `n:<name>`; nothing of a text that is none */
export function readStatus(text: string): Record<string, string> {
  const [words = ''] = text.split('\t');
  const [state, , tasks, ...counts] = words.split(' ');
  if (state === undefined || tasks === undefined || counts.length !== COUNTS.length) return {};
  const fields: Record<string, string> = { tasks };
  if (state !== NONE) fields.state = state;
  for (const [at, name] of COUNTS.entries()) fields[`n:${name}`] = counts[at]!;
  return fields;
}

/** What is in use of the run's own limits, by their names. */
export function readOwnUse(text: string): Map<string, number> {
  const [, uses = ''] = text.split('\t');
  const pairs = uses === '' ? [] : uses.split(',').map((use) => use.split(' '));
  return new Map(pairs.map(([name = '', used]) => [name, Number(used)]));
}
