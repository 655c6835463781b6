/**
 * The plan as a Mermaid flowchart, one box for each stage.
 */
import type { Graph, Plan } from './plan.ts';

/** Draws tasks and their needs; gates are not drawn, the boxes show the stages. Conditions other than success are labels. */
export function toMermaid(plan: Plan, graph: Graph): string {
  const byId = new Map(plan.tasks.map((task, index) => [task.id, index]));
  const boxes = graph.stages.flatMap((stage, index) => [
    `  subgraph stage${index + 1}["stage ${index + 1}"]`,
    ...stage.map((id) => `    t${byId.get(id)}["${label(plan, byId.get(id)!)}"]`),
    '  end',
  ]);
  const arrows = plan.tasks.flatMap((task, index) =>
    task.needs.map(
      ({ task: need, when }) => `  t${byId.get(need)} ${when === 'success' ? '-->' : `-. ${when} .->`} t${index}`,
    ),
  );
  return `${['flowchart TD', ...boxes, ...arrows].join('\n')}\n`;
}

function label(plan: Plan, index: number): string {
  const { id, title } = plan.tasks[index]!;
  return title === id ? escapeLabel(id) : `${escapeLabel(id)}<br/>${escapeLabel(title)}`;
}

/** Titles are free text: whatever Mermaid or HTML would read as syntax is written as an entity. */
function escapeLabel(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._,/:+-]/gu, (character) => `#${character.codePointAt(0)};`);
}
