/**
 * From words to an exit code: reads the command line by the table, makes the app, lets one command do its work, shows what
 * went wrong. Whatever way a command ends, the app is closed.
 */
import { Command as Commander, CommanderError, Option } from 'commander';
import { systemClock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { readVersion } from '../runtime/version.ts';
import type { CommandRow } from './command-row.ts';
import { COMMANDS, GLOBAL_OPTIONS } from './commands.ts';
import type { Context } from './context.ts';
import type { OptionRow, Options } from './options.ts';
import { renderError, toErrorJson } from './render/error.ts';
import { createAsk } from './terminal/ask.ts';
import { takeOverWarnings } from './terminal/library-warnings.ts';
import { Output } from './terminal/output.ts';
import { Signals } from './terminal/signals.ts';

const USAGE_EXIT = 2;

/** What was asked for. */
interface Asked {
  row: CommandRow;
  args: readonly (string | undefined)[];
  options: Options;
}

/** Performs one command line. @param argv without node and script @returns the exit code */
export async function runCli(argv: readonly string[], proc: NodeJS.Process): Promise<number> {
  const program = createProgram(proc);
  try {
    const asked = await parse(program, argv);
    return asked === null ? 0 : await perform(asked, proc);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const isBare = error.code === 'commander.help';
    if (isBare) proc.stderr.write(program.helpInformation());
    else showError(toUsageError(error, argv), createOutput(proc, {}), argv.includes('--json'));
    return USAGE_EXIT;
  }
}

function createProgram(proc: NodeJS.Process): Commander {
  const program = new Commander('planq')
    .description('Runs plans of agent work: a graph of tasks, in the right order, on any number of machines.')
    .version(readVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => proc.stdout.write(text), writeErr: () => undefined })
    .showSuggestionAfterError(true);
  for (const row of GLOBAL_OPTIONS) program.addOption(toOption(row));
  return program;
}

/** @returns null when help or the version was asked for and given */
async function parse(program: Commander, argv: readonly string[]): Promise<Asked | null> {
  let asked: Asked | null = null;
  for (const row of rowsFor(argv)) {
    const command = program.command(`${row.name} ${row.arguments}`.trim()).description(row.about);
    for (const option of row.options) command.addOption(toOption(option));
    for (const option of GLOBAL_OPTIONS) command.addOption(toOption(option).helpGroup('Global options:'));
    command.action(() => {
      refuseBlank(command);
      asked = { row, args: command.processedArgs as (string | undefined)[], options: mergeOptions(program, command) };
    });
  }
  await program.parseAsync(argv, { from: 'user' });
  return asked;
}

/** A command that stands first is the one that is meant; what is wrong after it, or asked for, is its own affair. */
function rowsFor([first]: readonly string[]): readonly CommandRow[] {
  const named = COMMANDS.filter(({ name }) => name === first);
  return named.length > 0 ? named : COMMANDS;
}

/** `planq cancel "$UNSET"`: nothing is the beginning of every id, and must never mean a run. @throws CommanderError */
function refuseBlank(command: Commander): void {
  for (const [at, argument] of command.registeredArguments.entries()) {
    if (command.args[at]?.trim() !== '') continue;
    command.error(`argument <${argument.name()}> must not be empty: is a variable of the shell unset?`);
  }
}

/** Global options may stand before and after the command. */
function mergeOptions(program: Commander, command: Commander): Options {
  const [before, after] = [program.opts<Options>(), command.opts<Options>()];
  return { ...before, ...after, color: before.color !== false && after.color !== false };
}

function toOption(row: OptionRow): Option {
  const option = new Option(row.flags, row.about);
  if (row.choices !== undefined) option.choices([...row.choices]);
  if (row.parse !== undefined) option.argParser(row.parse);
  return option;
}

async function perform({ row, args, options }: Asked, proc: NodeJS.Process): Promise<number> {
  const output = createOutput(proc, options);
  const signals = new Signals(proc);
  signals.start();
  endWithReader(proc, signals);
  const giveBack = takeOverWarnings(output);
  let context: Context | undefined;
  try {
    context = await createContext(proc, options, output, signals);
    const command = await row.load();
    return await Promise.race([command(context, args, options), interrupted(signals.unheard)]);
  } catch (error) {
    return showError(error, output, options.json === true || options.format === 'json');
  } finally {
    await context?.app.close();
    signals.stop();
    giveBack();
  }
}

/** Whoever read our output has gone: nobody is left to tell, so end as if told to. */
function endWithReader(proc: NodeJS.Process, signals: Signals): void {
  let isGone = false;
  proc.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isGone) signals.raise();
    isGone = true;
  });
  proc.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

async function createContext(
  proc: NodeJS.Process,
  options: Options,
  output: Output,
  signals: Signals,
): Promise<Context> {
  const cwd = proc.cwd();
  const { createApp } = await import('../app.ts');
  const app = await createApp({
    env: proc.env,
    cwd,
    ...(options.agent === undefined ? {} : { agent: options.agent }),
    overrides: {
      ...(options.project === undefined ? {} : { projectDir: options.project }),
      ...(options.volatile === undefined ? {} : { volatile: options.volatile }),
      ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    },
    warn: (message, facts) => output.warn(message, facts),
  });
  let isTold = false;
  const store = async () => {
    const opened = await app.store();
    if (!isTold) for (const warning of opened.check.warnings) output.warn(warning);
    isTold = true;
    return opened;
  };
  return {
    app,
    clock: systemClock,
    output,
    signals,
    // Node takes long to open stdin, and few commands ask.
    get ask() {
      return createAsk(proc, options.json === true);
    },
    cwd,
    store,
  };
}

function createOutput(proc: NodeJS.Process, options: Options): Output {
  return new Output({
    stdout: proc.stdout,
    stderr: proc.stderr,
    env: proc.env,
    color: options.color !== false,
    quiet: options.quiet === true,
  });
}

function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const give = (): void => reject(new PlanqError('interrupted', 'interrupted'));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}

/** @returns the exit code that belongs to the error */
function showError(error: unknown, output: Output, json: boolean): number {
  const known = error instanceof PlanqError ? error : null;
  if (known?.code === 'interrupted') return known.exitCode;
  for (const line of renderError(error, output.errorStyle)) output.complain(line);
  if (json) output.json(toErrorJson(error));
  return known?.exitCode ?? 1;
}

/** Commander's sentence as one of ours, with its suggestion as the hint. */
function toUsageError(error: CommanderError, argv: readonly string[]): PlanqError {
  const [sentence = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /\(Did you mean (?:one of )?(.*)\?\)/.exec(rest.join(' '))?.[1];
  const command = COMMANDS.find(({ name }) => argv.includes(name))?.name;
  const help = `see "planq ${command === undefined ? '' : `${command} `}--help"`;
  return new PlanqError('usage', sentence, { hint: suggestion === undefined ? help : `did you mean ${suggestion}?` });
}
