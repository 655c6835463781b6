/**
 * Gates as people name them: `gate:<n>` stands after group n. With `barrier: phase` two nodes of the graph may stand there,
 * the one that waits for passed tasks and the one that waits for ended tasks; to people they are one gate.
 */

/** Node index → name, of every gate. @param meta the run's hash */
export function gateNames(meta: Readonly<Record<string, string>>): Map<number, string> {
  const groups = Object.entries(JSON.parse(meta.gates ?? '{}') as Record<string, number>);
  const names = new Map(groups.map(([group, index]) => [index, `gate:${group}`]));
  // Behind those that wait for passed tasks stand those that wait for ended ones, in the same order.
  const [taskCount, nodeCount] = [Number(meta.tasks ?? 0), Number(meta.nodes ?? 0)];
  for (let index = taskCount + groups.length; index < nodeCount; index++)
    names.set(index, `gate:${index - taskCount - groups.length + 1}`);
  return names;
}

/** The nodes that a name means; none when there is no such gate. */
export function gatesNamed(meta: Readonly<Record<string, string>>, name: string): number[] {
  return [...gateNames(meta)].filter(([, known]) => known === name).map(([index]) => index);
}
