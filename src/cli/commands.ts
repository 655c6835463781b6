/**
 * The commands at a glance: what each takes, and the file that does it, loaded when it is asked for.
 */
import { type CommandRow, JSON_OPTION } from './command-row.ts';
import { type OptionRow, parseChecks, parseCount, parseMasters, parseText } from './options.ts';
import { STEERING_COMMANDS } from './steering-commands.ts';

const STRICT: OptionRow = { flags: '--strict', about: 'refuse a plan with warnings' };

/** How a plan is read. */
const READING: readonly OptionRow[] = [
  STRICT,
  { flags: '--barrier <kind>', about: 'where tasks wait for each other', choices: ['stage', 'phase', 'none'] },
  { flags: '--agent <kind>', about: 'let this agent do every task' },
  { flags: '--phase <name>', about: 'only the tasks of this phase; what other phases should bring must be there' },
];

/** How a plan is submitted. */
const SUBMITTING: readonly OptionRow[] = [
  ...READING,
  { flags: '--workspace <folder>', about: 'where the files of the run go (default: workspace/)', parse: parseText },
  { flags: '--inputs <how>', about: 'a missing input fails its task, or is a warning', choices: ['strict', 'warn'] },
  { flags: '--concurrency <n>', about: 'at most so many tasks of the run at once', parse: parseCount },
  { flags: '--key <key>', about: 'the same key gives the same run, however often it is submitted', parse: parseText },
  { flags: '--trust', about: 'start a plan that lies outside the project without asking' },
];

export const GLOBAL_OPTIONS: readonly OptionRow[] = [
  { flags: '--project <folder>', about: 'folder of the project (default: the current one)' },
  { flags: '-q, --quiet', about: 'no notes and warnings on stderr, no progress lines' },
  { flags: '--no-color', about: 'no colours' },
  { flags: '--volatile', about: 'accept a Redis that may lose data' },
];

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'run',
    arguments: '<plan>',
    about: 'submit a plan, work it, follow it and print the report',
    options: [
      ...SUBMITTING,
      { flags: '--dry-run', about: 'print what would start in which order; start nothing' },
      { flags: '--detach', about: 'submit, print the run id and leave the work to workers' },
      JSON_OPTION,
    ],
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'submit',
    arguments: '<plan>',
    about: 'submit a plan for workers to perform; print the run id',
    options: [...SUBMITTING, JSON_OPTION],
    load: async () => (await import('./submit.ts')).submit,
  },
  {
    name: 'worker',
    arguments: '',
    about: 'perform the tasks of all runs until told to stop',
    options: [
      { flags: '--masters <list>', about: 'serve only these, e.g. development=4,security=2', parse: parseMasters },
      { flags: '--concurrency <n>', about: 'at most so many tasks at once (default: 10)', parse: parseCount },
    ],
    load: async () => (await import('./worker.ts')).worker,
  },
  {
    name: 'status',
    arguments: '[run]',
    about: 'the tasks of a run and their states (default: the newest run)',
    options: [JSON_OPTION],
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'list',
    arguments: '',
    about: 'runs, newest first',
    options: [{ flags: '--limit <n>', about: 'at most so many (default: 20)', parse: parseCount }, JSON_OPTION],
    load: async () => (await import('./list.ts')).list,
  },
  {
    name: 'show',
    arguments: '<run> [task]',
    about: 'everything about a run, or about one of its tasks',
    options: [JSON_OPTION],
    load: async () => (await import('./show.ts')).show,
  },
  {
    name: 'logs',
    arguments: '<run> [task]',
    about: "a task's output; without a task it says which have any",
    options: [
      { flags: '-f, --follow', about: 'go on until the task has ended' },
      { flags: '--lines <n>', about: 'only the last lines', parse: parseCount },
    ],
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'watch',
    arguments: '[run]',
    about: 'follow a run until it rests (default: the newest run)',
    options: [{ flags: '--work', about: 'perform its tasks here where no worker serves them' }, JSON_OPTION],
    load: async () => (await import('./watch.ts')).watch,
  },
  {
    name: 'report',
    arguments: '[run]',
    about: 'what became of a run (default: the newest run)',
    options: [
      { flags: '--format <format>', about: 'text, markdown or json', choices: ['text', 'markdown', 'json'] },
      JSON_OPTION,
    ],
    load: async () => (await import('./report.ts')).report,
  },
  {
    name: 'retry',
    arguments: '<run> [task]',
    about: 'run failed tasks again, and go on where the run stopped',
    options: [
      { flags: '--from <task>', about: 'run this task and all that need it again, also what has completed' },
      { flags: '--detach', about: 'leave the work to workers' },
      JSON_OPTION,
    ],
    load: async () => (await import('./retry.ts')).retry,
  },
  {
    name: 'cancel',
    arguments: '<run>',
    about: 'stop a run for good; with --undo take back what it has completed',
    options: [
      { flags: '--undo', about: 'run the undo commands of completed tasks, the last first; also of an ended run' },
      JSON_OPTION,
    ],
    load: async () => (await import('./cancel.ts')).cancel,
  },
  ...STEERING_COMMANDS,
  {
    name: 'validate',
    arguments: '<plan>',
    about: 'tell everything that is wrong with a plan',
    options: [STRICT, READING[1]!, READING[2]!, JSON_OPTION],
    load: async () => (await import('./validate.ts')).validate,
  },
  {
    name: 'graph',
    arguments: '<plan>',
    about: 'stages, longest path and counts of a plan',
    options: [
      { flags: '--format <format>', about: 'text, mermaid or json', choices: ['text', 'mermaid', 'json'] },
      ...READING,
      JSON_OPTION,
    ],
    load: async () => (await import('./graph.ts')).graph,
  },
  {
    name: 'doctor',
    arguments: '',
    about: 'check whether this machine and its Redis are fit',
    options: [JSON_OPTION],
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'drill',
    arguments: '',
    about: 'break workers and agents of its own on this machine and its Redis, and tell what held',
    options: [
      { flags: '--only <list>', about: 'only these checks, e.g. kill,hang', parse: parseChecks },
      { flags: '--keep', about: 'leave the folder of the drill for a look' },
      JSON_OPTION,
    ],
    load: async () => (await import('./drill.ts')).drill,
  },
];
