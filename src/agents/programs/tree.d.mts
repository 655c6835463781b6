/** Types of `tree.mjs`. */
import type { ProcessIdentity, ProcessInfo } from './proc.mjs';

/** What is known of an attempt's processes. */
export interface TreeTarget extends ProcessIdentity {
  /** The attempt's marker; '' = look for none. */
  token: string;
  /** Real path of the attempt's log. */
  logFile?: string;
  /** The process holds a PID namespace in which the agent lives; see `namespace.ts`. */
  isNamespaced?: boolean;
}

export class Tree {
  readonly target: TreeTarget;
  constructor(target: TreeTarget, known?: Iterable<ProcessIdentity>);
  look(thorough?: boolean): ProcessInfo[];
  agents(thorough?: boolean): ProcessInfo[];
  kill(members: readonly ProcessInfo[], round: number): void;
  signal(members: readonly ProcessInfo[], name: NodeJS.Signals): void;
  suspects(folder: string): ProcessInfo[];
}

export function killTrees(trees: readonly Tree[], sleep: (ms: number) => Promise<void>): Promise<number[][]>;
