/**
 * What an agent tells while it works, on its way to the guardian (at once), the record (at most one progress a second)
 * and the live tail in Redis. A report that cannot be delivered is lost, never an error of the attempt.
 */
import type { AgentReport } from '../agents/agent.ts';
import { bounded } from '../runtime/errors.ts';
import type { Attempt } from './attempt-state.ts';
import type { WorkerContext } from './context.ts';
import { maskReport } from './worker-secrets.ts';

const PROGRESS_INTERVAL_MS = 1000;
const LINE_LIMIT = 500;
const MESSAGE_LIMIT = 1000;

export interface Reporter {
  report(report: AgentReport): void;
  /** Waits for what is under way. */
  flush(): Promise<void>;
}

/** One per attempt. `report` never throws; `flush` resolves when everything told so far has arrived or was given up. */
export function createReporter(worker: WorkerContext, attempt: Attempt): Reporter {
  const { held } = attempt;
  const { record } = worker.store;
  const under = new Set<Promise<unknown>>();
  let latest: (AgentReport & { kind: 'progress' }) | undefined;
  let pending = false;
  let ended: AbortController | undefined;
  /** The newest at once, then again what came within the second after it. */
  const sendProgress = async (): Promise<void> => {
    pending = true;
    while (latest !== undefined) {
      const { percent, message = '' } = latest;
      latest = undefined;
      await record.report(held, 'progress', percent, bounded(message, MESSAGE_LIMIT));
      ended ??= new AbortController();
      await worker.clock.sleep(PROGRESS_INTERVAL_MS, ended.signal);
    }
    pending = false;
  };
  const send = (work: Promise<unknown>): void => {
    const tracked = work.catch(() => undefined).finally(() => under.delete(tracked));
    under.add(tracked);
  };
  return {
    report: (told) => {
      // Masked before it is cut: half a secret would not be found.
      const report = maskReport(worker.secrets, told);
      switch (report.kind) {
        case 'spawned':
          worker.guardian.lease({
            id: held.token,
            pid: report.pid,
            startTime: report.startTime,
            token: held.token,
            logFile: attempt.paths.logFile,
            ttlMs: worker.holdings.guardianTtl(),
          });
          worker.hook('spawned');
          send(record.report(held, 'spawned', report.pid, ''));
          return;
        case 'progress':
          latest = report;
          if (!pending) send(sendProgress());
          return;
        case 'warning':
          send(record.report(held, 'warning', undefined, bounded(report.message, MESSAGE_LIMIT)));
          return;
        case 'lines':
          send(
            record.pushTail(
              held.run,
              held.index,
              report.lines.map((line) => bounded(line, LINE_LIMIT)),
            ),
          );
      }
    },
    flush: async () => {
      ended?.abort('over');
      await Promise.all(under);
    },
  };
}
