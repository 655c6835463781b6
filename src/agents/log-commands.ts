/**
 * Lines by which an agent speaks to planq through its output. The form is GitHub Actions' workflow commands
 * (`::name parameters::message`), with `progress` added.
 */
export type LogCommand =
  | { kind: 'progress'; percent?: number; message?: string }
  | { kind: 'warning'; message: string };

const PROGRESS = /^::progress(?:\s+(\d+(?:\.\d+)?)\s*%?)?\s*::\s*(.*)$/;
const WARNING = /^::warning(?:\s+[^:]*)?::\s*(.+)$/;

/** Longest message that is passed on, in characters. */
const MAX_MESSAGE = 500;

/**
 * Reads `::progress 40::message`, `::progress::message` and `::warning ::message`.
 * @param line plain text; see `toPlainLine`
 * @returns undefined when it is an ordinary line
 */
export function parseLogCommand(line: string): LogCommand | undefined {
  const warning = WARNING.exec(line);
  if (warning !== null) return { kind: 'warning', message: warning[1]!.slice(0, MAX_MESSAGE) };
  const progress = PROGRESS.exec(line);
  if (progress === null) return undefined;
  const [, percent, message = ''] = progress;
  return {
    kind: 'progress',
    ...(percent === undefined ? {} : { percent: Math.min(100, Number(percent)) }),
    ...(message === '' ? {} : { message: message.slice(0, MAX_MESSAGE) }),
  };
}
