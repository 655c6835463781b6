/**
 * Loaded before the command in a worker of the drill: when whoever started it is gone, whatever the way, the worker ends. Its
 * guardian then stops its agents.
 */
import { Socket } from 'node:net';

const leash = new Socket({ fd: 3 });
leash.on('error', () => {});
leash.on('close', () => process.kill(process.pid, 'SIGKILL'));
leash.resume();
leash.unref();
