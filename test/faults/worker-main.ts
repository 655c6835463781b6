/** The tests' worker process, which can be made to stand still as synchronous work would: SIGUSR2 blocks its event loop. */
const BLOCK_MS = Number(process.env.PLANQ_BLOCK_MS ?? 0);

process.on('SIGUSR2', () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCK_MS));
await import('../support/worker-main.ts');

export {};
