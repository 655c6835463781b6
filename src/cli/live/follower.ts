/**
 * The three ways to show a run as it goes: a picture in place on a terminal, lines elsewhere, JSON for programs.
 */
import type { Event } from '../../events/event.ts';
import { completionLine } from '../../flows/report.ts';
import { isAtRest } from '../../plan/states.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Output } from '../terminal/output.ts';
import { clean } from '../terminal/text.ts';
import { toEventJson } from './event-json.ts';
import { approvalLine, toEventLine } from './lines.ts';
import type { RunModel } from './model.ts';
import { Painter } from './painter.ts';
import { renderTree } from './tree.ts';

/** Shows a run while it is followed. Not used for a run that rests already. */
export interface Follower {
  start(model: RunModel): void;
  /** After the model was moved on by the event. */
  event(event: Event, model: RunModel): void;
  /** Leaves the last picture standing. Safe without a start. */
  stop(model: RunModel): void;
}

/** The follower for where stdout goes. */
export function createFollower(output: Output, clock: Clock, json: boolean): Follower {
  if (json) return createJsonFollower(output);
  if (output.isQuiet) return { start: () => undefined, event: () => undefined, stop: () => undefined };
  return output.isLive ? createTreeFollower(output, clock) : createLineFollower(output);
}

function createJsonFollower(output: Output): Follower {
  return {
    start: () => undefined,
    event: (event, model) => output.json(toEventJson(event, model)),
    stop: () => undefined,
  };
}

function createLineFollower(output: Output): Follower {
  let isClosed = false;
  return {
    start: (model) => {
      output.print(`Run ${model.run.id} "${clean(model.run.name)}": ${completionLine(model.view())}`);
      if (model.wanted.size > 0) output.print(approvalLine([...model.wanted], model.run.id));
    },
    event: (event, model) => {
      const line = toEventLine(event, model);
      if (line !== null) output.print(line);
      if (event.type === 'run-completed') isClosed = true;
      if (event.type === 'run-resumed') isClosed = false;
    },
    stop: (model) => {
      // The last event was missed, and the record told.
      if (!isClosed && model.run.state === 'completed') output.print('All tasks complete!');
    },
  };
}

/** At most ten pictures a second; the clock in it goes on between events. */
const FRAME_MS = 100;
/** Room for the prompt and for a line that the terminal may keep for itself. */
const SPARE_ROWS = 2;

function createTreeFollower(output: Output, clock: Clock): Follower {
  const painter = new Painter(output.stdout);
  let timer: NodeJS.Timeout | undefined;
  const paint = (model: RunModel): void => {
    const { columns, rows, style, glyphs } = output;
    painter.paint(renderTree(model, { columns, height: rows - SPARE_ROWS, now: clock.now(), style, glyphs }));
  };
  return {
    start: (model) => {
      painter.start();
      output.aside = (speak) => painter.aside(speak);
      paint(model);
      timer = setInterval(() => paint(model), FRAME_MS);
    },
    event: () => undefined,
    stop: (model) => {
      if (timer === undefined) return;
      clearInterval(timer);
      // A run that rests shows no spinner: the last picture is that of the record.
      paint(model);
      output.aside = undefined;
      painter.stop();
      if (isAtRest(model.run.state)) output.print();
    },
  };
}
