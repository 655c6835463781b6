/**
 * Compares the drawing in 00-TASK-GRAPH.md with the task files. The files count; a difference is only worth a note.
 */
import type { Problem } from '../../runtime/problem.ts';
import { problem } from '../codes.ts';
import type { DraftTask } from '../draft.ts';

/** Notes tasks that are drawn but have no file, and files that are not drawn: one note each. No drawing, no notes. */
export function compareGraph(text: string, file: string, tasks: readonly DraftTask[]): Problem[] {
  const drawn = readNodes(text);
  if (drawn.size === 0) return [];
  const ids = new Set(tasks.map(({ name }) => name));
  const unknown = [...drawn.keys()].filter((id) => !ids.has(id));
  const missing = [...ids].filter((id) => !drawn.has(id));
  const note = (message: string, line: number): Problem =>
    problem('graph-differs', message, { file, line, column: 1 }, { severity: 'note' });
  return [
    ...(unknown.length === 0
      ? []
      : [note(`drawn, but without a task file: ${unknown.join(', ')}`, drawn.get(unknown[0]!)!)]),
    ...(missing.length === 0 ? [] : [note(`not drawn: ${missing.join(', ')}`, 1)]),
  ];
}

/** Labels of the Mermaid nodes that look like task ids, with their lines. */
function readNodes(text: string): Map<string, number> {
  const nodes = new Map<string, number>();
  let isMermaid = false;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*```/.test(line)) isMermaid = /^\s*```\s*mermaid/.test(line);
    else if (isMermaid) {
      for (const [, label] of line.matchAll(/[[("](\d\d-[\w-]+\/[\w./-]+)["\])]/g))
        if (!nodes.has(label!)) nodes.set(label!, index + 1);
    }
  }
  return nodes;
}
