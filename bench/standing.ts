/** A planq with a worker that runs already and has done some work: what the parts on single runs begin with. */
import { CONCURRENCY } from './drain.ts';
import { type Follower, follow } from './follower.ts';
import type { Lab } from './lab.ts';
import type { MeasuredProcess } from './measured-process.ts';
import { openPlanq, type Planq, submitMany } from './planq.ts';
import { authentication, type PlanDocument } from './plans.ts';

export interface Standing {
  planq: Planq;
  worker: MeasuredProcess;
  follower: Follower;
  /** Submits, waits for the end. The run is in `times` from the call on; monotonic ms. */
  run(document: PlanDocument): Promise<RunTimes>;
  end(): Promise<void>;
}

export interface RunTimes {
  run: string;
  /** From the call of submit to the end of the run, as heard. */
  totalMs: number;
  /** Of the call alone. */
  submitMs: number;
}

export async function openStanding(lab: Lab): Promise<Standing> {
  await lab.server.empty();
  const planq = await openPlanq(lab);
  const worker = await lab.startProcess('planq-worker');
  const { prefix, projectDir } = planq;
  await worker.start({ socket: lab.server.socket, prefix, projectDir, concurrency: CONCURRENCY });
  await submitMany(planq, await planq.load(authentication('stage')), lab.options.quick ? 5 : 50);
  await planq.quiet();
  const follower = await follow(planq);
  return {
    planq,
    worker,
    follower,
    run: async (document) => {
      const plan = await planq.load(document);
      follower.take();
      // One run at a time: the next end is this one's.
      const ended = follower.next(({ type }) => type === 'run-completed');
      const beganAt = performance.now();
      const { runId } = await planq.app.submit(plan);
      const submitMs = performance.now() - beganAt;
      const { heardAt, run } = await ended;
      if (run !== runId) throw new Error(`run ${run} ended while ${runId} was measured`);
      await planq.quiet();
      return { run: runId, totalMs: heardAt - beganAt, submitMs };
    },
    end: async () => {
      await follower.stop();
      await worker.stop();
      await worker.end();
      await planq.close();
    },
  };
}
