/** Who acts, for the record of what people decide. */
import os from 'node:os';
import type { Options } from './options.ts';

/** `--by`, else `$USER`, else the account; `unknown` where the system has no name for it, as in some containers. */
export function whoActs({ by }: Options): string {
  return by ?? (process.env.USER || accountName());
}

function accountName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return 'unknown';
  }
}
