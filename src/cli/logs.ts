/** `planq logs <run> <task> [-f]`: the output byte by byte, without the secrets that this process knows as well. */
import { describeLogs, findLastLines, readKeptTail, readLogFrom } from '../control/read-log.ts';
import { showTask, type TaskDetails } from '../control/show-task.ts';
import { isSettled } from '../plan/states.ts';
import { PlanqError } from '../runtime/errors.ts';
import { MaskedLines } from '../runtime/masked-lines.ts';
import { type Command, type Context, EXIT } from './context.ts';

const POLL_MS = 200;

export const logs: Command = async (context, [run, task], options) => {
  const store = await context.store();
  if (task === undefined) {
    throw new PlanqError('usage', 'cannot tell whose output is meant: name a task', {
      hint: await describeLogs(store, run),
    });
  }
  const details = await showTask(store, run, task);
  await context.app.secrets.read(details.definition.secrets ?? []);
  const from = options.lines === undefined ? 0 : await findLastLines(details.logFile, options.lines);
  if (options.follow === true) return followLog(context, details, from);
  const lines = new MaskedLines(context.app.secrets);
  const at = await copy(context, details.logFile, from, lines);
  context.output.stdout.write(lines.finish());
  if (at > 0) return EXIT.ok;
  const tail = await readKeptTail(store, details);
  for (const line of tail.slice(-(options.lines ?? tail.length))) context.output.print(line);
  return EXIT.ok;
};

/** @returns where the file ended; 0 when there is none, or nothing in it */
async function copy({ output }: Context, file: string, from: number, lines: MaskedLines): Promise<number> {
  let at = from;
  for await (const chunk of readLogFrom(file, from)) {
    output.stdout.write(lines.push(chunk));
    at += chunk.length;
  }
  return at;
}

/** Until the task has settled and everything it wrote before is out. */
async function followLog(context: Context, details: TaskDetails, from: number): Promise<number> {
  const { clock, signals } = context;
  const stop = new AbortController();
  signals.listen(() => stop.abort());
  const store = await context.store();
  const lines = new MaskedLines(context.app.secrets);
  for (let at = from; !stop.signal.aborted; ) {
    const { task } = await showTask(store, details.runId, details.task.id);
    at = await copy(context, details.logFile, at, lines);
    if (isSettled(task.state)) break;
    await clock.sleep(POLL_MS, stop.signal);
  }
  context.output.stdout.write(lines.finish());
  return stop.signal.aborted ? EXIT.interrupted : EXIT.ok;
}
