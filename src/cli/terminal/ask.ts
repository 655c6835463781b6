/** A question to the person at the terminal, on stderr. */
import { createInterface } from 'node:readline';

export type Ask = (question: string) => Promise<boolean>;

/** @returns null where nobody could answer: no terminal on both sides, or a program that reads the answer */
export function createAsk(proc: NodeJS.Process, json: boolean): Ask | null {
  const { stdin, stderr } = proc;
  return stdin.isTTY === true && stderr.isTTY === true && !json
    ? (question) => askYesNo(question, stdin, stderr)
    : null;
}

/** True for y and yes alone; an end of input is a no. */
export async function askYesNo(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  // Not as a terminal: Ctrl-C is to reach the process as a signal.
  const lines = createInterface({ input, output, terminal: false });
  try {
    return await new Promise((resolve) => {
      lines.once('close', () => resolve(false));
      lines.question(question, (answer) => resolve(/^y(es)?$/i.test(answer.trim())));
    });
  } finally {
    lines.close();
    input.pause();
  }
}
