/** `planq worker` */
import type { Log } from '../events/log-subscriber.ts';
import { type Command, type Context, EXIT } from './context.ts';
import type { Options } from './options.ts';
import { tuneEngine } from './worker-engine.ts';
import { createWorkerLog, Diary } from './worker-log.ts';

export const worker: Command = async (context, _args, options) => {
  const { app, output } = context;
  tuneEngine();
  const store = await context.store();
  const pool = await app.createPool(toMasters(options, app.config.concurrency));
  const log = createWorkerLog(output, { worker: pool.id });
  const told = untilTold(context, pool, log);
  const diary = new Diary(context, store, pool.id, log);
  try {
    await diary.start();
    await pool.start();
    log.write({ level: 'info', message: 'worker-started', facts: startFacts(options, app.config.concurrency) });
    await told;
  } finally {
    await pool.stop();
    await diary.stop();
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

function toMasters({ masters }: Options, concurrency: number): Record<string, number> | null {
  if (masters === undefined) return null;
  return Object.fromEntries(Object.entries(masters).map(([name, cap]) => [name, cap ?? concurrency]));
}

function startFacts({ masters }: Options, concurrency: number): Record<string, unknown> {
  return { masters: masters === undefined ? 'all' : Object.keys(masters).join(','), concurrency, pid: process.pid };
}
