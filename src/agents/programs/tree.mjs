/**
 * Finds and signals every process of one attempt. The worker's stop ladder and the guardian both use it, so that there is
 * one opinion of what belongs to an attempt. A process is a member when it
 * - is the agent itself, or in the agent's session or group (the agent leads both),
 * - descends from a member, or was seen as a member before (children that a dead parent left behind),
 * - carries the attempt's marker in its environment (daemons that changed session and parent),
 * - writes to the attempt's log (those that emptied their environment as well),
 * - lives in the attempt's PID namespace, when it has one (everybody else).
 * Nothing older than the agent is ever a member, nor are we ourselves and those who started us.
 *
 * With a namespace the target is the process that holds it, from outside. It, the first process inside and the one that
 * entered with the agent are scaffold: members that are killed, but never asked to end, and no agent's doing.
 */
import {
  carriesToken,
  HAS_PROC,
  isAlive,
  isLive,
  isNamelessIn,
  listProcesses,
  namespaceOf,
  writesTo,
} from './proc.mjs';

/** Rounds of looking and killing before what is left counts as a survivor: about two seconds in all. */
const KILL_ROUNDS = 45;

/**
 * Rounds in which the process that entered a namespace is left to end by itself. Killed before, it could not reap the
 * agent, and where nobody else does a namespace with a dead process in it cannot end.
 */
const REAP_ROUNDS = 8;

const OWN_NAMESPACE = namespaceOf('self');

export class Tree {
  /** Every process ever seen as a member: pid → start time. */
  #known = new Map();
  /** Of the last look: all processes that are young enough. */
  #young = [];
  /** Once the session and group are empty, the kernel may give their number to somebody else. */
  #groupEnded = false;
  /** Name of the attempt's own PID namespace; undefined when it has none, or no more. */
  #namespace;

  constructor(target, known = []) {
    this.target = target;
    for (const identity of known) this.#known.set(identity.pid, identity.startTime);
    if (target.isNamespaced === true && isAlive(target)) this.#namespace = innerNamespace(target.pid);
  }

  /**
   * The live members now.
   * @param thorough also reads the environment of all processes that are young enough; about 20 ms for 500 processes
   */
  look(thorough = true) {
    if (!HAS_PROC) return this.#lookAtGroup();
    const table = listProcesses();
    const young = this.#candidates(table);
    this.#young = young;
    this.#groupEnded ||= !this.#holdsGroup(table);
    const members = new Map();
    const { token, logFile } = this.target;
    for (const info of young) {
      if (this.#isMember(info) || (thorough && this.#isMarked(info, token, logFile))) members.set(info.pid, info);
    }
    addDescendants(members, young);
    for (const info of members.values()) this.#known.set(info.pid, info.startTime);
    return [...members.values()].filter(isLive);
  }

  /** As {@link look}, without the scaffold: what the agent is, and what it started. */
  agents(thorough = true) {
    return this.look(thorough).filter((info) => !this.#isScaffold(info));
  }

  /** Kills members; what must reap the others first is spared in the first rounds. */
  kill(members, round) {
    const isSpared = (info) =>
      this.target.isNamespaced === true &&
      round < REAP_ROUNDS &&
      info.pid !== this.target.pid &&
      namespaceOf(info.pid) === OWN_NAMESPACE;
    this.signal(
      members.filter((info) => !isSpared(info)),
      'SIGKILL',
    );
  }

  /** Signals the group at once, so that nobody forks away meanwhile, then each member that is not in it. */
  signal(members, name) {
    const { pid } = this.target;
    if (!HAS_PROC) return void send(-pid, name);
    // The group of a namespace's holder is the holder alone.
    const isInGroup = (info) => this.target.isNamespaced !== true && !this.#groupEnded && info.pgid === pid;
    if (members.some(isInGroup)) send(-pid, name);
    for (const info of members) if (!isInGroup(info) && isAlive(info)) send(info.pid, name);
  }

  /** Of the last look, those that are probably ours but cannot be proven to be: reported, never killed. */
  suspects(folder) {
    // Out of a namespace nothing escapes, so whoever is outside is somebody else's.
    if (this.target.isNamespaced === true) return [];
    return this.#young.filter((info) => isNamelessIn(info.pid, folder));
  }

  #candidates(table) {
    const avoided = ancestors(table);
    const since = Number(this.target.startTime);
    return table.filter((info) => Number(info.startTime) >= since && !avoided.has(info.pid));
  }

  #isMember(info) {
    if (this.#known.get(info.pid) === info.startTime) return true;
    const { pid, startTime } = this.target;
    if (info.pid === pid) return info.startTime === startTime;
    return !this.#groupEnded && (info.session === pid || info.pgid === pid);
  }

  /** A number is not given out again while a group or session uses it, so whoever is in them is ours until both are empty. */
  #holdsGroup(table) {
    const { pid, startTime } = this.target;
    if (pid <= 1 || table.some((info) => info.pid === pid && info.startTime !== startTime)) return false;
    // An agent never shares a group with us; whoever does is not one.
    const own = table.find((info) => info.pid === process.pid);
    if (own?.pgid === pid || own?.session === pid) return false;
    return table.some((info) => info.session === pid || info.pgid === pid);
  }

  #isMarked(info, token, logFile) {
    if (!isLive(info)) return false;
    return (
      carriesToken(info.pid, token) ||
      (logFile !== undefined && writesTo(info.pid, logFile)) ||
      (this.#namespace !== undefined && namespaceOf(info.pid) === this.#namespace)
    );
  }

  #isScaffold(info) {
    const { pid, isNamespaced } = this.target;
    if (isNamespaced !== true) return false;
    return info.pid === pid || info.ppid === pid || namespaceOf(info.pid) === OWN_NAMESPACE;
  }

  #lookAtGroup() {
    return send(-this.target.pid, 0) ? [{ ...this.target, pgid: this.target.pid }] : [];
  }
}

/**
 * Kills all members of all trees, again and again until none is found.
 * @param sleep (ms) → promise
 * @returns per tree, in order, the numbers of those that could not be killed
 */
export async function killTrees(trees, sleep) {
  let open = trees.map((tree, index) => ({ tree, index, left: [] }));
  const survivors = trees.map(() => []);
  for (let round = 0; round < KILL_ROUNDS && open.length > 0; round++) {
    if (round > 0) await sleep(Math.min(5 * round, 50));
    for (const entry of open) {
      entry.left = entry.tree.look();
      entry.tree.kill(entry.left, round);
    }
    open = open.filter((entry) => entry.left.length > 0);
  }
  for (const entry of open) survivors[entry.index] = entry.tree.look().map((info) => info.pid);
  return survivors;
}

/** The namespace that a process holds for its children; never our own, in which everybody else lives. */
function innerNamespace(pid) {
  const name = namespaceOf(pid, 'pid_for_children');
  return name === OWN_NAMESPACE ? undefined : name;
}

function addDescendants(members, table) {
  for (let grew = true; grew; ) {
    grew = false;
    for (const info of table) {
      if (members.has(info.pid) || !members.has(info.ppid)) continue;
      members.set(info.pid, info);
      grew = true;
    }
  }
}

/** Ourselves, our parent and so on up to init: a mistake above must never reach these. */
function ancestors(table) {
  const parents = new Map(table.map((info) => [info.pid, info.ppid]));
  const found = new Set([1]);
  for (let pid = process.pid; pid > 1 && !found.has(pid); pid = parents.get(pid) ?? 0) found.add(pid);
  return found;
}

/** True when the signal was taken. No such process, or one that is not ours to signal: nothing to do about it here. */
function send(pid, name) {
  // 0, 1 and -1 mean our own group, init, and everybody.
  if (Math.abs(pid) <= 1) return false;
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
