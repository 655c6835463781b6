/** `planq graph <plan>` */
import { criticalPath } from '../plan/estimate.ts';
import { toMermaid } from '../plan/mermaid.ts';
import { type Command, EXIT } from './context.ts';
import { loadPlan } from './load.ts';
import { renderGraph, toGraphJson } from './render/graph.ts';

export const graph: Command = async (context, [file], options) => {
  const { output } = context;
  const loaded = await loadPlan(context, file ?? '', options);
  const path = criticalPath(loaded.plan, loaded.graph);
  const format = options.json === true ? 'json' : (options.format ?? 'text');
  if (format === 'json') output.json(toGraphJson(loaded, path));
  else if (format === 'mermaid') output.print(toMermaid(loaded.plan, loaded.graph).trimEnd());
  else output.printTable(renderGraph(loaded, path));
  return EXIT.ok;
};
