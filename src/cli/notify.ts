/** `planq notify` */
import type { App } from '../app.ts';
import { PlanqError } from '../runtime/errors.ts';
import { type Command, EXIT } from './context.ts';
import type { Line } from './terminal/style.ts';
import { clean } from './terminal/text.ts';

export const notify: Command = async ({ app, output, signals }, _args, options) => {
  const { length } = app.config.notify;
  if (options.test === true) {
    if (length === 0) throw nobody();
    const stop = new AbortController();
    signals.listen(() => stop.abort());
    const results = await app.testNotify(stop.signal);
    const isDone = results.every(({ sent }) => sent.ok);
    if (options.json === true) output.json({ ok: isDone, receivers: results.map(toJson) });
    else output.printLines(results.map(toLine));
    return isDone ? EXIT.ok : EXIT.failed;
  }
  const receivers = (await app.receivers()).map(({ to, on }) => ({ to, on }));
  if (options.json === true) output.json({ receivers });
  else if (length === 0) output.note('nobody is notified: add "notify" to planq.config.json, see docs/notify.md');
  else output.printLines(receivers.map(({ to, on }): Line => [`${to}  ${on.join(', ')}`]));
  return EXIT.ok;
};

type Result = Awaited<ReturnType<App['testNotify']>>[number];

function toJson({ to, on, sent, durationMs }: Result): Record<string, unknown> {
  return { to, on, ok: sent.ok, message: sent.message, durationMs };
}

function toLine({ to, sent, durationMs }: Result): Line {
  const verdict = sent.ok ? 'ok  ' : 'fail';
  return [{ text: verdict, color: sent.ok ? 'green' : 'red' }, `  ${to}  ${clean(sent.message)} (${durationMs} ms)`];
}

function nobody(): PlanqError {
  return new PlanqError('wrong_state', 'cannot send a test notification: nobody is to be notified', {
    hint: 'add "notify" to planq.config.json, see docs/notify.md',
  });
}
