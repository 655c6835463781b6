/**
 * The stop ladder: TERM, grace, KILL, and a look that nothing is left. What belongs to an attempt is decided in
 * `programs/tree.mjs`.
 *
 *   look ─ none ─→ done
 *     │
 *   TERM to group and members ─→ wait until empty, at most the grace ─→ KILL until nothing is found ─→ survivors
 *
 * A PID namespace is always closed at the end: with its first process the kernel kills all that is in it.
 *
 * TERM goes to members outside the group too: a server in its own session deserves its grace as well, and without it a
 * stop would always last the whole grace.
 */
import type { Clock } from '../runtime/clock.ts';
import type { ProcessIdentity } from './proc.ts';
import { killTrees, Tree, type TreeTarget } from './programs/tree.mjs';

/** The tree to stop: the agent's process, the attempt's marker, its log when there is one. */
export interface StopTarget extends TreeTarget {
  /** Milliseconds from TERM to KILL. */
  graceMs: number;
  /** Processes that were seen below the agent at any time. */
  known?: Iterable<ProcessIdentity>;
  /** The project folder; suspects are looked for there. */
  folder?: string;
}

export interface Stopped {
  /** Processes that could not be stopped; empty is the rule. */
  survivors: number[];
  /**
   * Processes that may belong to the attempt though nothing proves it: started since, at work below `folder`, environment
   * emptied. For a report to a person.
   */
  suspects: number[];
}

export interface Leftovers extends Stopped {
  /** What still ran when the agent had ended. */
  found: number[];
}

/** How long children of an agent that has just ended may take to end by themselves before they count as left behind. */
const LEFTOVER_PATIENCE_MS = 150;

/**
 * Stops every process of an attempt. Returns as soon as nothing is left; at the latest about 2 s after the grace.
 * @throws nothing that a process can cause
 */
export async function stopTree(target: StopTarget, clock: Clock): Promise<Stopped> {
  return climb(new Tree(target, target.known), target, clock);
}

/**
 * To be called after the agent has ended by itself: stops what it left running.
 * @returns what was found, for a warning, and what survived
 */
export async function sweepLeftovers(target: StopTarget, clock: Clock): Promise<Leftovers> {
  const tree = new Tree(target, target.known);
  if (tree.agents().length === 0 || (await isEmptied(tree, LEFTOVER_PATIENCE_MS, clock))) {
    return { found: [], ...(await close(tree, target, clock)) };
  }
  const found = tree.agents().map((info) => info.pid);
  return { found, ...(await climb(tree, target, clock)) };
}

async function climb(tree: Tree, target: StopTarget, clock: Clock): Promise<Stopped> {
  const members = tree.agents();
  if (members.length === 0) return close(tree, target, clock);
  tree.signal(members, 'SIGTERM');
  await isEmptied(tree, target.graceMs, clock);
  return finish(tree, target, clock);
}

/** For a tree whose agents have ended: only a namespace is still to be closed. */
async function close(tree: Tree, target: StopTarget, clock: Clock): Promise<Stopped> {
  if (target.isNamespaced === true) return finish(tree, target, clock);
  return { survivors: [], suspects: suspectsOf(tree, target) };
}

async function finish(tree: Tree, target: StopTarget, clock: Clock): Promise<Stopped> {
  const [survivors = []] = await killTrees([tree], (ms) => clock.sleep(ms));
  return { survivors, suspects: suspectsOf(tree, target) };
}

function suspectsOf(tree: Tree, { folder }: StopTarget): number[] {
  return folder === undefined ? [] : tree.suspects(folder).map((info) => info.pid);
}

/** Waits until the tree is empty; false when that takes longer than `limitMs`. */
async function isEmptied(tree: Tree, limitMs: number, clock: Clock): Promise<boolean> {
  const end = clock.monotonic() + limitMs;
  for (let pause = 5; ; pause = Math.min(pause * 2, 200)) {
    // Known members are enough while some live; only an apparent end needs the thorough look.
    if (tree.agents(false).length === 0 && tree.agents().length === 0) return true;
    const left = end - clock.monotonic();
    if (left <= 0) return false;
    await clock.sleep(Math.min(pause, left));
  }
}
