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

/** One per attempt. `report` never throws; `flush` resolves when everything told so far has arrived or was given up. */
export class Reporter {
  readonly #worker: WorkerContext;
  readonly #attempt: Attempt;
  /** Made when something is told: not every agent tells anything. */
  #under: Set<Promise<unknown>> | undefined;
  #latest: (AgentReport & { kind: 'progress' }) | undefined;
  #isSending = false;
  #ended: AbortController | undefined;

  constructor(worker: WorkerContext, attempt: Attempt) {
    this.#worker = worker;
    this.#attempt = attempt;
  }

  report(told: AgentReport): void {
    const { store, secrets, guardian, holdings, hook } = this.#worker;
    const { held } = this.#attempt;
    // Masked before it is cut: half a secret would not be found.
    const report = maskReport(secrets, told);
    switch (report.kind) {
      case 'spawned':
        guardian.lease({
          id: held.token,
          pid: report.pid,
          startTime: report.startTime,
          token: held.token,
          logFile: this.#attempt.paths.logFile,
          ttlMs: holdings.guardianTtl(),
        });
        hook('spawned');
        this.#send(store.record.report(held, 'spawned', report.pid, ''));
        return;
      case 'progress':
        this.#latest = report;
        if (!this.#isSending) this.#send(this.#sendProgress());
        return;
      case 'warning':
        this.#send(store.record.report(held, 'warning', undefined, bounded(report.message, MESSAGE_LIMIT)));
        return;
      case 'lines':
        this.#send(
          store.record.pushTail(
            held.run,
            held.index,
            report.lines.map((line) => bounded(line, LINE_LIMIT)),
          ),
        );
    }
  }

  /** Waits for what is under way. */
  async flush(): Promise<void> {
    this.#ended?.abort('over');
    await Promise.all(this.#under ?? []);
  }

  /** The newest at once, then again what came within the second after it. */
  async #sendProgress(): Promise<void> {
    this.#isSending = true;
    while (this.#latest !== undefined) {
      const { percent, message = '' } = this.#latest;
      this.#latest = undefined;
      await this.#worker.store.record.report(this.#attempt.held, 'progress', percent, bounded(message, MESSAGE_LIMIT));
      this.#ended ??= new AbortController();
      await this.#worker.clock.sleep(PROGRESS_INTERVAL_MS, this.#ended.signal);
    }
    this.#isSending = false;
  }

  #send(work: Promise<unknown>): void {
    this.#under ??= new Set();
    const under = this.#under;
    const tracked = work.catch(() => undefined).finally(() => under.delete(tracked));
    under.add(tracked);
  }
}
