/** Either a value or everything that is wrong with the input. Used where a user can make several mistakes at once. */
export type Result<T, E> = { ok: true; value: T } | { ok: false; error: E };

/** Wraps a value. */
export function ok<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

/** Wraps what went wrong. */
export function err<E>(error: E): { ok: false; error: E } {
  return { ok: false, error };
}

/** The end of an exhaustive `switch`: compiles only when every case is handled, throws when the types lied. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
