/**
 * Calls of one script that come in one turn of the event loop travel as one: a script and a round trip cost more than what
 * is done in it. Each call has its own answer, and one that fails does not take the others with it.
 */
export type ScriptReply = (string | number | null)[];

/** Longer scripts keep every other client waiting. */
const MOST = 50;

interface Call {
  args: readonly (string | number)[];
  resolve(reply: ScriptReply): void;
  reject(error: unknown): void;
}

/**
 * @param send calls the script with the number of arguments of one call and then those of all; answers in the same order
 * @returns the call; every one must have the same number of arguments. Rejects with what Redis answers with
 */
export function createTogether(
  send: (...args: (string | number)[]) => Promise<ScriptReply[]>,
): (...args: (string | number)[]) => Promise<ScriptReply> {
  let waiting: Call[] = [];
  const sendAll = (): void => {
    const calls = waiting;
    waiting = [];
    for (let from = 0; from < calls.length; from += MOST) void sendSome(send, calls.slice(from, from + MOST));
  };
  return (...args) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(sendAll);
      waiting.push({ args, resolve, reject });
    });
}

async function sendSome(
  send: (...args: (string | number)[]) => Promise<ScriptReply[]>,
  calls: readonly Call[],
): Promise<void> {
  try {
    const replies = await send(calls[0]!.args.length, ...calls.flatMap(({ args }) => args));
    for (const [at, { resolve, reject }] of calls.entries()) {
      const reply = replies[at]!;
      if (reply[0] === 'error') reject(new Error(String(reply[1])));
      else resolve(reply);
    }
  } catch (error) {
    for (const { reject } of calls) reject(error);
  }
}
