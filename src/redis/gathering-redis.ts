import { Redis } from 'ioredis';

/**
 * A connection that hands what is sent in one turn of the event loop to the system at once; ioredis would make a system
 * call of every command. The commands, their order and their answers are the same.
 */
export class GatheringRedis extends Redis {
  #isGathering = false;

  override sendCommand(...args: Parameters<Redis['sendCommand']>): ReturnType<Redis['sendCommand']> {
    this.#gather();
    return super.sendCommand(...args);
  }

  #gather(): void {
    const socket = (this as unknown as { stream?: { cork?(): void; uncork?(): void } }).stream;
    if (this.#isGathering || socket?.cork === undefined) return;
    this.#isGathering = true;
    socket.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      socket.uncork?.();
    });
  }
}
