/**
 * The live picture of a run, as lines: a head, then the tasks by stage. Pure. However many tasks there are, it is no
 * higher than it may be: completed stages shrink to a line, then those not begun, then both to one line each; at last
 * tasks are left out, the telling ones last.
 */
import type { TaskState } from '../../plan/states.ts';
import { formatDuration } from '../../runtime/duration.ts';
import { type Glyphs, type Line, type Part, plain, renderLine, type Style, statePart } from '../terminal/style.ts';
import { clean, columnsOf, count, cut, fill } from '../terminal/text.ts';
import { nameSome } from './lines.ts';
import type { LiveTask, RunModel } from './model.ts';

export interface TreeOptions {
  columns: number;
  /** Most lines. */
  height: number;
  /** Epoch ms. */
  now: number;
  style: Style;
  glyphs: Glyphs;
}

interface Stage {
  number: number;
  tasks: LiveTask[];
}

/** A row is a line with its weight: the heaviest go first when there is no room. Heads and summaries stay. */
interface Row {
  line: Line;
  weight: number;
  state?: TaskState;
}

const FRAME_MS = 100;
/** Below this a task's name says nothing. */
const LEAST_ID_COLUMNS = 16;
/** The same of a run's name, where something has to give way. */
const LEAST_NAME_COLUMNS = 12;
/** The most for what waits for approval. */
const WANTED_COLUMNS = 32;
/** As wide as most times are, so that what follows is aligned. */
const TIME_COLUMNS = 7;

/** Rather leave out what has ended well than what runs or failed. */
const WEIGHT: Readonly<Record<TaskState, number>> = {
  running: 1,
  failed: 2,
  parked: 3,
  ready: 4,
  blocked: 5,
  cancelled: 6,
  skipped: 7,
  pending: 8,
  completed: 9,
};

/** The picture's lines, none wider than `columns`, no more than `height`. */
export function renderTree(model: RunModel, options: TreeOptions): string[] {
  const stages = groupByStage(model.tasks);
  const room = Math.max(0, options.height - 1);
  const rows = fitRows(stages, room, idColumns(model.tasks, options), options);
  const lines = [headLine(model, options), ...rows.map((row) => row.line)].slice(0, Math.max(1, options.height));
  return lines.map((line) => renderLine(line, options.style, options.columns));
}

/** How an amount of tasks in a state is said: with words, and where the terminal is too narrow for them without. */
type Say = (state: string, amount: number) => string;

const SAYINGS: readonly Say[] = [(state, amount) => ` ${amount} ${state}`, (_state, amount) => `${amount}`];

/** The name gives way to the counts: it is always the same, and they are what one looks for. */
function headLine(model: RunModel, options: TreeOptions): Line {
  const name = clean(model.run.name) || 'run';
  const least = Math.min(columnsOf(name), LEAST_NAME_COLUMNS);
  const heads = SAYINGS.map((say) => {
    const room = options.columns - columnsOf(renderLine(headOf(model, options, say, ''), plain));
    return { room, line: headOf(model, options, say, cut(name, Math.max(1, room))) };
  });
  return (heads.find(({ room }) => room >= least) ?? heads.at(-1)!).line;
}

function headOf(model: RunModel, { now, glyphs }: TreeOptions, say: Say, name: string): Line {
  const { run } = model;
  const { counts } = run;
  const parts = (['running', 'failed', 'blocked', 'parked', 'ready', 'pending', 'skipped', 'cancelled'] as const)
    .filter((state) => counts[state] > 0)
    .flatMap((state): Line => ['  ', statePart(state, glyphs[state]), say(state, counts[state])]);
  const time = run.startedAt === null ? 'not started' : formatDuration(elapsed(run.startedAt, run.finishedAt, now));
  return [
    { text: name, color: 'bold' },
    `  ${run.id}  `,
    statePart(run.state),
    `  ${time}  ${counts.completed}/${counts.total}`,
    ...parts,
    ...(model.wanted.size === 0
      ? []
      : [
          {
            text: `  approval wanted: ${cut(clean(nameSome([...model.wanted], 1)), WANTED_COLUMNS)}`,
            color: 'yellow',
          } as const,
        ]),
  ];
}

function groupByStage(tasks: readonly LiveTask[]): Stage[] {
  const stages = new Map<number, LiveTask[]>();
  for (const task of tasks) {
    const group = stages.get(task.stage);
    if (group === undefined) stages.set(task.stage, [task]);
    else group.push(task);
  }
  return [...stages].sort(([a], [b]) => a - b).map(([number, group]) => ({ number, tasks: group }));
}

type Detail = (stage: Stage) => 'whole' | 'line' | 'merged';

/** From the most to the least that can be shown. */
const DETAILS: readonly Detail[] = [
  () => 'whole',
  (stage) => (isAll(stage, 'completed') ? 'line' : 'whole'),
  (stage) => (isAll(stage, 'completed') || isAll(stage, 'pending') ? 'line' : 'whole'),
  (stage) => (isAll(stage, 'completed') || isAll(stage, 'pending') ? 'merged' : 'whole'),
];

function fitRows(stages: readonly Stage[], room: number, idWidth: number, options: TreeOptions): Row[] {
  let rows: Row[] = [];
  for (const detail of DETAILS) {
    rows = toRows(stages, detail, idWidth, options);
    if (rows.length <= room) return rows;
  }
  return dropRows(rows, room, options.glyphs);
}

function toRows(stages: readonly Stage[], detail: Detail, idWidth: number, options: TreeOptions): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < stages.length; at++) {
    const stage = stages[at]!;
    const how = detail(stage);
    if (how === 'whole') {
      rows.push({ line: [{ text: `stage ${stage.number}`, color: 'bold' }], weight: 0 });
      rows.push(...stage.tasks.map((task) => taskRow(task, idWidth, options)));
      continue;
    }
    const state = stage.tasks[0]!.state;
    let last = at;
    if (how === 'merged')
      while (stages[last + 1] !== undefined && detail(stages[last + 1]!) === how && isAll(stages[last + 1]!, state))
        last++;
    rows.push(summaryRow(stages.slice(at, last + 1), state, options));
    at = last;
  }
  return rows;
}

function summaryRow(stages: readonly Stage[], state: TaskState, { glyphs }: TreeOptions): Row {
  const [first, last] = [stages[0]!.number, stages.at(-1)!.number];
  const amount = stages.reduce((sum, stage) => sum + stage.tasks.length, 0);
  const name = first === last ? `stage ${first}` : `stages ${first}-${last}`;
  return { line: [statePart(state, glyphs[state]), ` ${name}  ${count(amount, 'task')} ${state}`], weight: 0 };
}

/** Leaves out the tasks that tell least, and says how many of which. */
function dropRows(rows: readonly Row[], room: number, glyphs: Glyphs): Row[] {
  const order = rows
    .map((row, at) => ({ at, weight: row.weight }))
    .sort((a, b) => b.weight - a.weight || b.at - a.at)
    .map(({ at }) => at);
  const dropped = new Set(order.slice(0, Math.max(0, rows.length - Math.max(0, room - 1))));
  const states = new Map<TaskState, number>();
  for (const at of dropped) {
    const { state } = rows[at]!;
    if (state !== undefined) states.set(state, (states.get(state) ?? 0) + 1);
  }
  const kept = rows.filter((_, at) => !dropped.has(at));
  const words = [...states].map(([state, amount]) => `${amount} ${state}`).join(', ');
  const hidden = [...states.values()].reduce((sum, amount) => sum + amount, 0);
  if (room === 0) return [];
  return [...kept, { line: [{ text: `${glyphs.more} ${hidden} more (${words})`, color: 'dim' }], weight: 0 }];
}

function taskRow(task: LiveTask, idWidth: number, options: TreeOptions): Row {
  const { glyphs, now } = options;
  const frame = glyphs.spinner[Math.floor(now / FRAME_MS) % glyphs.spinner.length]!;
  const glyph = statePart(task.state, task.state === 'running' ? frame : glyphs[task.state]);
  const time = timeOf(task, now).padStart(TIME_COLUMNS);
  const facts = [attemptOf(task), percentOf(task)].filter((text) => text !== '').map((text) => `${text}  `);
  const line: Line = ['  ', glyph, ` ${fill(clean(task.id), idWidth)}  ${time}  `, ...facts, tellingOf(task)];
  return { line, weight: WEIGHT[task.state], state: task.state };
}

function timeOf(task: LiveTask, now: number): string {
  if (task.state === 'running') return formatDuration(elapsed(task.startedAt, null, now));
  return task.durationMs === null || !['completed', 'failed', 'cancelled'].includes(task.state)
    ? ''
    : formatDuration(task.durationMs);
}

function attemptOf(task: LiveTask): string {
  return task.attempt > 1 ? `attempt ${task.attempt}` : '';
}

function percentOf(task: LiveTask): string {
  return task.state === 'running' && task.percent !== null ? `${Math.round(task.percent)} %` : '';
}

/** The last word on a task: why it does not run, what it says, or what it is about. */
function tellingOf(task: LiveTask): Part {
  if (task.state === 'blocked') return { text: `blocked by ${clean(task.blockedBy.join(', '))}`, color: 'magenta' };
  if (task.state === 'failed') return { text: clean(task.reason ?? ''), color: 'red' };
  if (task.state === 'parked') return { text: clean(task.reason ?? ''), color: 'yellow' };
  if (task.state === 'ready' && task.reason !== null) return { text: clean(task.reason), color: 'yellow' };
  if (task.state === 'running' && task.message !== null) return { text: clean(task.message) };
  return { text: task.title === task.id ? '' : clean(task.title), color: 'dim' };
}

function idColumns(tasks: readonly LiveTask[], { columns }: TreeOptions): number {
  const widest = tasks.reduce((most, task) => Math.max(most, columnsOf(clean(task.id))), 0);
  return Math.min(widest, Math.max(LEAST_ID_COLUMNS, Math.floor(columns / 2)));
}

function isAll(stage: Stage, state: TaskState): boolean {
  return stage.tasks.every((task) => task.state === state);
}

/** Clocks of two machines may differ a little; nothing has begun in the future. */
function elapsed(from: string | null, to: string | null, now: number): number {
  if (from === null) return 0;
  return Math.max(0, (to === null ? now : Date.parse(to)) - Date.parse(from));
}
