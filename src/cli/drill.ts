/** `planq drill` */
import { runDrill } from '../drill/drill.ts';
import { type Command, EXIT } from './context.ts';
import { renderCheck, renderPlace, renderSummary } from './render/drill.ts';

export const drill: Command = async (context, _args, options) => {
  const { app, output, clock, signals } = context;
  const { target } = await context.store();
  const { tier } = await app.detectTier();
  const stop = new AbortController();
  signals.listen(() => stop.abort());
  const isWatched = process.stderr.isTTY === true;
  const isJson = options.json === true;
  const report = await runDrill({
    config: app.config,
    target,
    command: {
      file: process.execPath,
      // Two processes cannot be debugged at one port.
      args: [...process.execArgv.filter((word) => !word.startsWith('--inspect')), process.argv[1] ?? ''],
      env: process.env,
    },
    clock,
    tier,
    signal: stop.signal,
    ...(options.only === undefined ? {} : { only: options.only }),
    keep: options.keep === true,
    onBegin: (place) => renderPlace(place, options.keep === true).forEach((line) => void output.note(line)),
    onCheck: (name, about) => isWatched && output.note(`${name}: ${about} …`),
    onReport: (check) => !isJson && output.printLines(renderCheck(check)),
    onLeft: (sentence) => output.warn(sentence),
  });
  if (isJson) output.json(report);
  else output.printLines(renderSummary(report));
  return report.ok ? EXIT.ok : EXIT.failed;
};
