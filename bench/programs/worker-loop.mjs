/**
 * How a measured process is steered: it loads its code, says so, and then starts and stops its worker as often as the
 * bench asks. It ends with the bench, whatever ends that.
 */

/** @param {(place: object) => Promise<() => Promise<void>>} start starts a worker; what it gives back stops it */
export function obey(start) {
  /** @type {() => Promise<void>} */
  let stop = async () => undefined;
  const verbs = {
    start: async (place) => {
      stop = await start(place);
    },
    stop: () => stop(),
    collect: async () => {
      for (let time = 0; time < 3; time++) globalThis.gc?.();
    },
    memory: async () => process.memoryUsage(),
    exit: async () => process.disconnect(),
  };
  process.on('message', async ({ id, verb, place }) => {
    const value = await verbs[verb](place);
    if (process.connected) process.send({ id, value });
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ id: 0 });
}
