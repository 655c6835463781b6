/**
 * Reads what Linux says about processes in /proc. Owns no process and sends no signal; `tree.mjs` does. Plain JavaScript
 * without imports of ours, because the guardian runs it as it lies here; TypeScript sees it through `proc.d.mts`.
 *
 * A process is known by its number and its start time: numbers are used again, the pair is not.
 * Everything is read synchronously: /proc is memory, and a pass over 500 processes takes about 10 ms.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** False on systems without /proc: there only the process group is known. */
export const HAS_PROC = existsSync('/proc/self/stat');

/** The environment variable that every process of an attempt carries. */
export const MARKER = 'PLANQ_ATTEMPT_TOKEN';

/** One line of /proc/<pid>/stat. The name may hold spaces and parentheses, so fields count from the last `)`. */
export function parseStat(text) {
  const close = text.lastIndexOf(')');
  if (close < 0) return undefined;
  const fields = text.slice(close + 2).split(' ');
  return {
    pid: Number.parseInt(text, 10),
    state: fields[0],
    ppid: Number(fields[1]),
    pgid: Number(fields[2]),
    session: Number(fields[3]),
    // utime + stime + what waited-for children used.
    cpuTicks: Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]),
    threads: Number(fields[17]),
    startTime: fields[19],
  };
}

/** What /proc says about one process; undefined when it is gone. */
export function readProcess(pid) {
  const text = readOrNothing(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/** The start time of a process, in clock ticks since boot; undefined when it is gone. */
export function startTimeOf(pid) {
  return readProcess(pid)?.startTime;
}

/** True unless it is dead and only waits to be reaped. A leader that ended before its threads shows Z and still works. */
export function isLive(info) {
  return (info.state !== 'Z' && info.state !== 'X') || info.threads > 1;
}

/** True while this very process, not a later one of the same number, is at work. */
export function isAlive(identity) {
  const info = readProcess(identity.pid);
  return info !== undefined && info.startTime === identity.startTime && isLive(info);
}

/** One pass over all processes, zombies included. Empty where there is no /proc. */
export function listProcesses() {
  if (!HAS_PROC) return [];
  const found = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const info = readProcess(name);
    if (info !== undefined) found.push(info);
  }
  return found;
}

/** Everything below `pid` in the table, nearest first, without `pid` itself. */
export function descendantsOf(pid, table) {
  const children = groupByParent(table);
  const found = [];
  const open = [pid];
  while (open.length > 0) {
    for (const child of children.get(open.shift()) ?? []) {
      found.push(child);
      open.push(child.pid);
    }
  }
  return found;
}

/** The children of a process, of all its threads, without a pass over all processes where the kernel lists them. */
export function childrenOf(pid) {
  try {
    const lists = readdirSync(`/proc/${pid}/task`).map((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'),
    );
    return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  } catch {
    // It has ended, or this kernel keeps no such lists.
    return listProcesses().flatMap((info) => (info.ppid === Number(pid) ? [info.pid] : []));
  }
}

/**
 * Names the PID namespace of a process, such as `pid:[4026531836]`; undefined when it is gone or not ours to see.
 * @param link `pid_for_children` names the one into which it puts its children
 */
export function namespaceOf(pid, link = 'pid') {
  return linkOrNothing(`/proc/${pid}/ns/${link}`);
}

/** The variables that a process was started with; undefined when it is gone or not ours to see. */
export function environmentOf(pid) {
  const text = readOrNothing(`/proc/${pid}/environ`);
  if (text === undefined) return undefined;
  const pairs = text.split('\0').filter((pair) => pair.includes('='));
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/** True when the process was started with this attempt's marker in its environment. */
export function carriesToken(pid, token) {
  if (token === '') return false;
  const text = readOrNothing(`/proc/${pid}/environ`);
  return text?.split('\0').includes(`${MARKER}=${token}`) ?? false;
}

/** True when the process carries the marker of whatever attempt. */
function carriesAnyToken(pid) {
  return (
    readOrNothing(`/proc/${pid}/environ`)
      ?.split('\0')
      .some((word) => word.startsWith(`${MARKER}=`)) ?? false
  );
}

/**
 * True when the process writes its output to `file` and carries no marker: a child that emptied its environment. With a
 * marker it is known by that; the attempts of a task share one log, and none may stop another's.
 */
export function writesTo(pid, file) {
  if (carriesAnyToken(pid)) return false;
  return [1, 2].some((fd) => linkOrNothing(`/proc/${pid}/fd/${fd}`) === file);
}

/** True when the process works below `folder` and its environment is readable and empty. */
export function isNamelessIn(pid, folder) {
  const cwd = linkOrNothing(`/proc/${pid}/cwd`);
  if (cwd === undefined || (cwd !== folder && !cwd.startsWith(`${folder}/`))) return false;
  return readOrNothing(`/proc/${pid}/environ`) === '';
}

/** Bytes read and written so far, files and sockets alike, waited-for children included; undefined when not ours to see. */
export function ioOf(pid) {
  const text = readOrNothing(`/proc/${pid}/io`);
  if (text === undefined) return undefined;
  return { rchar: numberAfter(text, 'rchar:'), wchar: numberAfter(text, 'wchar:') };
}

/** Resident memory in bytes, shared pages included; 0 when it is gone. */
export function rssBytesOf(pid) {
  return numberAfter(readOrNothing(`/proc/${pid}/status`) ?? '', 'VmRSS:') * 1024;
}

function groupByParent(table) {
  const groups = new Map();
  for (const info of table) {
    const siblings = groups.get(info.ppid);
    if (siblings === undefined) groups.set(info.ppid, [info]);
    else siblings.push(info);
  }
  return groups;
}

function numberAfter(text, word) {
  return Number(new RegExp(`^${word}\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}

/** A process may end, or belong to somebody else, at any moment: then there is nothing to read. */
function readOrNothing(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function linkOrNothing(file) {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
