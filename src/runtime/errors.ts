/**
 * One error table. Every error that planq raises on purpose is a {@link PlanqError} with a code from here; fronts show
 * code, message and hint. Codes are stable and never reused.
 */

/** Exit code and default "worth trying again" of each error. */
export const ERRORS = {
  usage: { exit: 2, retryable: false },
  config_invalid: { exit: 2, retryable: false },
  plan_invalid: { exit: 3, retryable: false },
  plan_not_trusted: { exit: 2, retryable: false },
  plan_not_found: { exit: 5, retryable: false },
  run_not_found: { exit: 5, retryable: false },
  task_not_found: { exit: 5, retryable: false },
  log_not_found: { exit: 5, retryable: false },
  wrong_state: { exit: 1, retryable: false },
  workspace_in_use: { exit: 1, retryable: true },
  key_conflict: { exit: 1, retryable: false },
  redis_missing: { exit: 6, retryable: false },
  redis_unreachable: { exit: 6, retryable: true },
  redis_unsafe: { exit: 6, retryable: false },
  redis_unfit: { exit: 6, retryable: false },
  redis_full: { exit: 6, retryable: true },
  clock_skew: { exit: 6, retryable: true },
  no_isolation: { exit: 1, retryable: false },
  record_damaged: { exit: 1, retryable: false },
  interrupted: { exit: 130, retryable: true },
  internal: { exit: 1, retryable: false },
} as const;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetails {
  /** What to do next: a sentence, best with the command to type. */
  hint?: string;
  /** Facts for machines; small and free of secrets. */
  facts?: Record<string, unknown>;
  cause?: unknown;
}

/** An error raised on purpose. `message` is one lower-case sentence: "cannot <verb> <thing>: <cause>". */
export class PlanqError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly facts: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'PlanqError';
    this.code = code;
    this.hint = details.hint;
    this.facts = details.facts ?? {};
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

/** The message of whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Cuts `text` to `max` characters for storage, saying that it did. */
export function bounded(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
