/**
 * One lifecycle for everything that lives. `stop` is safe before `start` and when called twice.
 */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts in order; when one fails, stops what had started, last first, and throws that failure. */
export async function startAll(services: readonly Service[]): Promise<void> {
  const started: Service[] = [];
  try {
    for (const service of services) {
      await service.start();
      started.push(service);
    }
  } catch (error) {
    // What kept the others from stopping is less telling than why the start failed.
    await stopAll(started).catch(() => undefined);
    throw error;
  }
}

/** Stops all, last first; one that fails does not keep the others from stopping. The first failure is thrown at the end. */
export async function stopAll(services: readonly Service[]): Promise<void> {
  const failures: unknown[] = [];
  for (const service of [...services].reverse()) {
    try {
      await service.stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
