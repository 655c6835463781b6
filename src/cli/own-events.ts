/**
 * Which of all events a worker tells of: those of the attempts that it performs itself, and of the runs that these are of.
 */
import { readGateNames, showRun } from '../control/find-run.ts';
import type { Event, TaskEvent } from '../events/event.ts';
import { type LogLine, toLogLine } from '../events/log-subscriber.ts';
import type { Store } from '../producer/store.ts';

/** Runs whose task ids are kept at hand. */
const KNOWN_RUNS = 100;

const ENDS: ReadonlySet<Event['type']> = new Set([
  'task-completed',
  'task-retrying',
  'task-snoozed',
  'task-failed',
  'task-cancelled',
]);

/** What a person wants or has decided, and how that ends: told by every worker that has worked for the run. */
const SHARED: ReadonlySet<Event['type']> = new Set([
  'approval-wanted',
  'approved',
  'rejected',
  'run-paused',
  'run-unpaused',
  'run-failed',
  'undo-wanted',
  'undo-submitted',
  'undo-nothing',
]);

/** Picks out the events of attempts that `worker` performs and of their runs, and knows their tasks' names. */
export class OwnEvents {
  readonly #held = new Set<string>();
  /** Runs that it has worked for, the latest last. */
  readonly #runs = new Set<string>();
  readonly #names = new Map<string, string[]>();

  constructor(
    private readonly store: Store,
    private readonly worker: string,
  ) {}

  /** @returns the line for the log, or null for an event of somebody else */
  async take(event: Event): Promise<LogLine | null> {
    if (event.type === 'runs-pruned') return event.worker === this.worker ? toLogLine(event, String) : null;
    if (!('task' in event)) return this.#takeShared(event);
    const key = `${event.run}|${event.task}`;
    if (event.type === 'task-started') {
      if (event.worker === this.worker) this.#hold(key, event.run);
      else this.#held.delete(key);
    }
    if (!this.#held.has(key)) return null;
    if (ENDS.has(event.type)) this.#held.delete(key);
    const names = await this.#namesOf(event.run);
    return toLogLine(event, (index) => names[index] ?? String(index));
  }

  #hold(key: string, run: string): void {
    this.#held.add(key);
    this.#runs.delete(run);
    this.#runs.add(run);
    if (this.#runs.size > KNOWN_RUNS) this.#runs.delete([...this.#runs][0]!);
  }

  async #takeShared(event: Exclude<Event, TaskEvent>): Promise<LogLine | null> {
    if (!SHARED.has(event.type) || !this.#runs.has(event.run)) return null;
    const names = await this.#namesOf(event.run);
    return toLogLine(event, (index) => names[index] ?? String(index));
  }

  async #namesOf(run: string): Promise<string[]> {
    const known = this.#names.get(run);
    if (known !== undefined) return known;
    // The run may have been removed since; its tasks then go by their numbers.
    const names = await showRun(this.store, run).then(
      async (view) => {
        const ids = view.tasks.map(({ id }) => id);
        for (const [index, name] of await readGateNames(this.store, run)) ids[index] = name;
        return ids;
      },
      (): string[] => [],
    );
    if (this.#names.size >= KNOWN_RUNS) this.#names.delete([...this.#names.keys()][0]!);
    this.#names.set(run, names);
    return names;
  }
}
