/**
 * Keeps what V8 has compiled of the built command, so that the next process need not compile it again: most of what a
 * command takes that only looks into Redis. Node does so from 22.1 on, when it is asked to, with what the first command
 * happened to use; here each command keeps its own. Only in the bundle: see scripts/bundle.mjs.
 *
 * V8 believes what it is given, and ends the process when it finds it damaged. So it gets only what this user wrote, for
 * this very file and this Node, with every byte as it was. Whatever is wrong, the command compiles as if nothing were kept.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Script, constants as vmConstants } from 'node:vm';
import { crc32 } from 'node:zlib';

/** Commands that soon end and are called again and again. Not those that work: they set V8's flags, on which compiled code depends. */
export const CACHED_COMMANDS: ReadonlySet<string> = new Set(
  'approve cancel graph inbox limits list pause reject report resume show skip status submit validate why'.split(' '),
);

/** Files of the cache, of a few hundred kilobytes each; the oldest go first. */
const MOST_FILES = 32;
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const OTHERS = 0o077;

/** What Node puts around a module. */
const HEAD = '(function (exports, require, module, __filename, __dirname) { ';
const FOOT = '\n})';

/** What compiled code depends on besides the text. */
const SETTING = JSON.stringify([process.version, process.arch, process.execArgv, process.env.NODE_OPTIONS]);

interface Unit {
  script: Script;
  /** Compiled here, and not taken from the cache. */
  isFresh: boolean;
  /** Where its code is kept, and what must stand before it there. */
  file: string;
  head: Buffer;
}

type Loader = (module: NodeJS.Module, file: string) => void;
type Wrapped = (this: unknown, ...args: readonly unknown[]) => void;

/**
 * From here on, the files beside the command are compiled through the cache.
 * @param require the command's own
 * @param home their folder
 */
export function useCodeCache(require: NodeJS.Require, [command = '']: readonly string[], home: string): void {
  const folder = CACHED_COMMANDS.has(command) ? findFolder(process.env) : null;
  if (folder === null) return;
  const name = `${command}-${shorten(home + SETTING)}`;
  const fresh: Unit[] = [];
  const usual = require.extensions['.js'] as Loader;
  require.extensions['.cjs'] = (module: NodeJS.Module, file: string): void => {
    if (path.dirname(file) !== home) {
      usual(module, file);
      return;
    }
    const unit = compile(file, folder, name);
    if (unit.isFresh) fresh.push(unit);
    const run = unit.script.runInThisContext() as Wrapped;
    run.call(module.exports, module.exports, (id: string) => module.require(id), module, file, home);
  };
  // At the end, since functions are compiled when they are first called; what went wrong has called others.
  process.on('exit', (code) => {
    if (code === 0 && fresh.length > 0) keep(folder, fresh);
  });
}

/** @returns null where nothing may be kept */
export function findFolder(env: NodeJS.ProcessEnv): string | null {
  if (process.getuid === undefined || env.NODE_DISABLE_COMPILE_CACHE) return null;
  const { NODE_COMPILE_CACHE: wanted, XDG_CACHE_HOME: caches, HOME: home } = env;
  if (wanted) return path.resolve(wanted, 'planq');
  if (caches && path.isAbsolute(caches)) return path.join(caches, 'planq');
  // Somebody else's home is left alone: with sudo it would get files that its owner cannot replace.
  if (!home || !path.isAbsolute(home) || !isOwnFolder(home)) return null;
  return path.join(home, process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'planq');
}

function isOwnFolder(folder: string): boolean {
  try {
    return isOwn(statSync(folder));
  } catch {
    return false;
  }
}

function isOwn({ uid }: Stats): boolean {
  return uid === process.geteuid?.();
}

function compile(file: string, folder: string, name: string): Unit {
  const { text, head } = readModule(file);
  const kept = path.join(folder, `${path.basename(file, '.cjs')}-${name}`);
  const cachedData = read(kept, head);
  const script = new Script(text, {
    filename: file,
    columnOffset: -HEAD.length,
    ...(cachedData === undefined ? {} : { cachedData }),
    importModuleDynamically: vmConstants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return { script, isFresh: cachedData === undefined || script.cachedDataRejected === true, file: kept, head };
}

/** Built files have ASCII only, and are read as they are: as UTF-8, and put together from parts, they take four times as long. */
function readModule(file: string): { text: string; head: Buffer } {
  const opened = openSync(file, 'r');
  try {
    // Of the open file: nobody can put another in its place in between.
    const { ino, size, mtimeMs, ctimeMs } = fstatSync(opened);
    const bytes = Buffer.alloc(HEAD.length + size + FOOT.length);
    bytes.write(HEAD, 'latin1');
    readSync(opened, bytes, HEAD.length, size, 0);
    bytes.write(FOOT, HEAD.length + size, 'latin1');
    const head = Buffer.from(`planq ${JSON.stringify([file, ino, size, mtimeMs, ctimeMs, SETTING])}\n`);
    return { text: bytes.toString('latin1'), head };
  } finally {
    closeSync(opened);
  }
}

/** A name for a text; two texts may have the same, and then take turns. */
function shorten(text: string): string {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) >>> 0;
  return hash.toString(36);
}

/** The code kept in a file: its head, a checksum and the rest. */
function read(file: string, head: Buffer): Buffer | undefined {
  try {
    if (!isPrivate(lstatSync(path.dirname(file)))) return undefined;
    const opened = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(opened);
      if (!stats.isFile() || !isPrivate(stats)) return undefined;
      const content = readFileSync(opened);
      const code = content.subarray(head.length + 4);
      const isWhole = content.length > head.length + 4 && head.equals(content.subarray(0, head.length));
      return isWhole && content.readUInt32LE(head.length) === crc32(code) ? code : undefined;
    } finally {
      closeSync(opened);
    }
  } catch {
    // Not there, or not to be read.
    return undefined;
  }
}

function isPrivate(stats: Stats): boolean {
  return isOwn(stats) && (stats.mode & OTHERS) === 0;
}

function keep(folder: string, units: readonly Unit[]): void {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
    const stats = lstatSync(folder);
    if (!stats.isDirectory() || !isPrivate(stats)) return;
    for (const unit of units) write(unit);
    removeOldest(folder);
  } catch {
    // No space or no right to write: the next one compiles as well.
  }
}

function write({ script, file, head }: Unit): void {
  // In containers two processes may have one number; the checksum tells when they have written into one file.
  const temporary = `${file}.${process.pid}`;
  // It fails where it cannot be written, before the work is done.
  const opened = openSync(temporary, 'w', PRIVATE_FILE);
  try {
    const code = script.createCachedData();
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(crc32(code));
    writeFileSync(opened, Buffer.concat([head, checksum, code]));
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(opened);
  }
}

/** Also what other builds and ended processes have left. */
function removeOldest(folder: string): void {
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  const aged = files.map((file) => ({ file, at: lstatSync(file).mtimeMs })).sort((a, b) => b.at - a.at);
  for (const { file } of aged.slice(MOST_FILES)) rmSync(file, { force: true });
}
