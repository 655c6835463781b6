/** What is undone of a run, in order, and where to follow it. Pure. */
import type { UndoAsked } from '../../control/cancel-run.ts';
import type { RunSummary } from '../../flows/run-view.ts';
import type { Line } from '../terminal/style.ts';
import { clean } from '../terminal/text.ts';

export function renderUndo({ state, run, isNew, stages }: UndoAsked): Line[] {
  if (state === 'nothing') return [['Nothing that has completed has an undo.']];
  const again = isNew ? '' : ', as was asked before';
  const head: Line =
    run === null
      ? [`What has completed is undone when the rest has stopped${again}, as it stands in this order:`]
      : [`Run ${run} undoes it${again}, in this order:`];
  const order = stages.map((stage, at): Line => [`  ${at + 1}. ${clean(stage.join(', '))}`]);
  return [head, ...order, [`  ${nextCommand(run)}`, { text: '   follow it', color: 'dim' }]];
}

function nextCommand(run: string | null): string {
  return run === null ? 'planq list' : `planq watch ${run}`;
}

/** One line for a run that is undone or that undoes another; none for all others. */
export function undoLines({ undo, undoOf }: RunSummary): Line[] {
  const lines: Line[] = undoOf === undefined ? [] : [[`undoes run ${undoOf}`]];
  if (undo === undefined) return lines;
  const words = {
    wanted: 'its undo was asked for and begins when all of it has stopped',
    submitted: `undone by run ${undo.run ?? ''}`,
    nothing: 'its undo was asked for; nothing that completed has one',
  };
  return [...lines, [words[undo.state]]];
}
