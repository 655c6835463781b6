/** Sets the process up, performs its command line and ends it. */
import './no-proto.ts';
import { runCli } from './program.ts';

/** What still holds the process after a command has ended (a connection to a dead server) does so for this long. */
const LINGER_MS = 2000;
/** As Node's own for a program that waits for something that can no longer come. */
const NEVER_ENDED = 13;

process.exitCode = NEVER_ENDED;
void runCli(process.argv.slice(2), process).then((exitCode) => {
  process.exitCode = exitCode;
  setTimeout(() => process.exit(), LINGER_MS).unref();
});
