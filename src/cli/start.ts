/** Sets the process up, performs its command line and ends it. */
import './no-proto.ts';
import './small-heap.ts';
import { runCli } from './program.ts';

/** What still holds the process after a command has ended (a connection to a dead server) does so for this long. */
const LINGER_MS = 2000;

process.exitCode = await runCli(process.argv.slice(2), process);
setTimeout(() => process.exit(), LINGER_MS).unref();
