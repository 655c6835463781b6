/** `planq worker` */
import { newestCursor } from '../control/cursor.ts';
import { followAll } from '../control/follow-all.ts';
import type { Log } from '../events/log-subscriber.ts';
import { type Command, type Context, EXIT } from './context.ts';
import type { Options } from './options.ts';
import { createWorkerLog, OwnEvents } from './worker-log.ts';

export const worker: Command = async (context, _args, options) => {
  const { app, output } = context;
  const store = await context.store();
  const pool = await app.createPool(toMasters(options, app.config.concurrency));
  const log = createWorkerLog(output, { worker: pool.id });
  const told = untilTold(context, pool, log);
  const stop = new AbortController();
  const cursor = await newestCursor(store);
  try {
    await pool.start();
    log.write({ level: 'info', message: 'worker-started', facts: startFacts(options, app.config.concurrency) });
    const logging = writeLog(context, pool.id, log, cursor, stop.signal);
    await told;
    await pool.stop();
    stop.abort();
    await logging;
  } finally {
    stop.abort();
    await pool.stop();
  }
  log.write({ level: 'info', message: 'worker-stopped', facts: {} });
  return EXIT.ok;
};

type Pool = Awaited<ReturnType<Context['app']['createPool']>>;

/** Resolves with the first signal; the second ends the drain. */
function untilTold({ signals, app }: Context, pool: Pool, log: Log): Promise<void> {
  return new Promise((resolve) => {
    signals.listen((times) => {
      if (times > 1) return pool.hurry();
      const facts = { running: pool.running, drainMs: app.config.times.drainMs };
      log.write({ level: 'info', message: 'worker-stopping', facts });
      resolve();
    });
  });
}

async function writeLog(context: Context, id: string, log: Log, cursor: string, signal: AbortSignal): Promise<void> {
  const store = await context.store();
  const own = new OwnEvents(store, id);
  try {
    for await (const event of followAll(store, cursor, signal)) {
      const line = await own.take(event);
      if (line !== null) log.write(line);
    }
  } catch (error) {
    // A worker works without its log.
    context.output.warn(`the log ends here: ${String(error)}`);
  }
}

function toMasters({ masters }: Options, concurrency: number): Record<string, number> | null {
  if (masters === undefined) return null;
  return Object.fromEntries(Object.entries(masters).map(([name, cap]) => [name, cap ?? concurrency]));
}

function startFacts({ masters }: Options, concurrency: number): Record<string, unknown> {
  return { masters: masters === undefined ? 'all' : Object.keys(masters).join(','), concurrency, pid: process.pid };
}
