#!/usr/bin/env node
/**
 * Sees to it that a Redis server is on PATH: planq starts a private one for a project, and the tests start one for
 * themselves. Looks first; only when there is none, installs it from the system's packages and says so. Never starts a
 * system service: planq uses its own socket, and a server that nobody asked for would be a surprise.
 *
 * Plain JavaScript on Node alone, because it runs before anything is built. What to do is decided by pure functions at
 * the top; everything that touches the system is below them.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** BullMQ warns below 6.2 and lacks commands that it would like to use. Every Valkey is newer. */
export const MINIMUM_VERSION = '6.2.0';

/** In the order in which planq prefers them. */
export const SERVER_COMMANDS = ['redis-server', 'valkey-server'];

/**
 * Debian's packages start their service at once and at every boot. `policy-rc.d` is Debian's own switch against the
 * first; it is left as it was found. The package's name ($1) is its service's name as well.
 */
const APT_INSTALL = [
  'set -e',
  'policy=/usr/sbin/policy-rc.d',
  'if [ ! -e "$policy" ]; then',
  '  trap \'rm -f "$policy"\' EXIT',
  '  trap "exit 1" INT TERM HUP',
  '  printf "#!/bin/sh\\nexit 101\\n" > "$policy"',
  '  chmod 755 "$policy"',
  'fi',
  'DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$1"',
  'if [ -d /run/systemd/system ]; then systemctl --quiet disable "$1" || true; fi',
].join('\n');

/** The package managers, in the order in which they are looked for. `installs` are alternatives, the first that works counts. */
const MANAGERS = [
  {
    command: 'apt-get',
    needsRoot: true,
    prepare: { argv: ['apt-get', 'update', '-q'], says: 'apt-get update' },
    packages: ['redis-server', 'valkey-server'],
    install: (name) => ['sh', '-c', APT_INSTALL, 'setup-redis', name],
    says: (name) => `apt-get install -y --no-install-recommends ${name} (without starting its service)`,
    byHand: 'apt-get update && apt-get install -y --no-install-recommends redis-server',
  },
  {
    command: 'dnf',
    needsRoot: true,
    packages: ['valkey', 'redis'],
    install: (name) => ['dnf', 'install', '-y', name],
    byHand: 'dnf install -y valkey || dnf install -y redis',
  },
  {
    command: 'apk',
    needsRoot: true,
    packages: ['redis', 'valkey'],
    install: (name) => ['apk', 'add', '--no-cache', name],
    byHand: 'apk add redis || apk add valkey',
  },
  {
    command: 'brew',
    needsRoot: false,
    packages: ['redis'],
    install: (name) => ['brew', 'install', name],
    byHand: 'brew install redis',
  },
];

const WITHOUT_PACKAGES =
  'install redis-server or valkey-server (6.2 or later) so that it is on PATH, then try again. ' +
  'https://redis.io/docs/latest/operate/oss_and_stack/install/ has the ways for this system';

/** The version in the answer to `--version` ("Redis server v=7.0.15 sha=…"); undefined when there is none. */
export function parseServerVersion(text) {
  return /\bv=(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

/** True when `version` is `minimum` or later; both are three numbers with dots. */
export function isAtLeast(version, minimum) {
  const [have, need] = [version, minimum].map((text) => text.split('.').map(Number));
  for (let i = 0; i < need.length; i++) {
    if (have[i] !== need[i]) return have[i] > need[i];
  }
  return true;
}

/** Of the servers found, in order: the first that will do, else the first that is too old, else none. */
export function chooseServer(found) {
  const server = found.find(({ version }) => version !== undefined && isAtLeast(version, MINIMUM_VERSION));
  if (server !== undefined) return { kind: 'ready', server };
  return found[0] === undefined ? { kind: 'missing' } : { kind: 'too-old', server: found[0] };
}

/**
 * What to run so that a server is there.
 * @param system.commands which of the package managers and `sudo` are on PATH
 * @param system.isRoot whether this process may install packages itself
 * @param system.sudo `free`: works without a password; `asks`: wants one and there is a terminal to ask on; `no`
 * @returns the commands (`prepare` may fail; `installs` are alternatives), or the sentence to show when there is no way
 */
export function planInstallation(system) {
  const manager = MANAGERS.find(({ command }) => system.commands.includes(command));
  if (manager === undefined) return { kind: 'impossible', message: WITHOUT_PACKAGES };
  const mayRun = manager.needsRoot ? system.isRoot || system.sudo !== 'no' : !system.isRoot;
  if (!mayRun) return { kind: 'impossible', message: byHand(manager) };
  const prefix = !manager.needsRoot || system.isRoot ? [] : system.sudo === 'free' ? ['sudo', '-n'] : ['sudo'];
  const step = (argv, says = argv.join(' ')) => ({
    argv: [...prefix, ...argv],
    says: [...(prefix.length > 0 ? ['sudo'] : []), says].join(' '),
  });
  return {
    kind: 'install',
    prepare: manager.prepare === undefined ? [] : [step(manager.prepare.argv, manager.prepare.says)],
    installs: manager.packages.map((name) => step(manager.install(name), manager.says?.(name))),
    message: byHand(manager),
  };
}

/** The exact line to type for a person with the rights; a shell of root's own, so that both halves of a line have them. */
function byHand({ needsRoot, byHand: line }) {
  return `type this, then try again:\n\n  ${needsRoot ? `sudo sh -c '${line}'` : line}\n`;
}

function main(argv) {
  const isQuiet = argv.includes('--quiet');
  const before = chooseServer(findServers());
  if (before.kind === 'ready') {
    if (!isQuiet) say(`${describe(before.server)} is there, nothing to do`);
    return 0;
  }
  if (before.kind === 'too-old') return refuseOld(before.server);
  const plan = planInstallation(describeSystem());
  if (plan.kind === 'impossible') {
    say(`there is no redis-server or valkey-server on PATH, and it cannot be installed from here: ${plan.message}`);
    return 1;
  }
  say("there is no redis-server or valkey-server on PATH; installing one from this system's packages");
  for (const step of plan.prepare) {
    if (!run(step)) say('that failed; going on with what is known');
  }
  plan.installs.some(run);
  const after = chooseServer(findServers());
  if (after.kind === 'ready') {
    say(`installed ${describe(after.server)}`);
    return 0;
  }
  if (after.kind === 'too-old') return refuseOld(after.server);
  say(`the installation did not bring a redis-server or valkey-server: ${plan.message}`);
  return 1;
}

function refuseOld(server) {
  say(`${describe(server)} will not do: planq needs ${MINIMUM_VERSION} or later. Please ${WITHOUT_PACKAGES}`);
  return 1;
}

function findServers() {
  return SERVER_COMMANDS.flatMap((command) => {
    const file = findOnPath(command);
    if (file === undefined) return [];
    const { stdout } = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 10_000 });
    return [{ command, file, version: parseServerVersion(stdout ?? '') }];
  });
}

function describeSystem() {
  const commands = [...MANAGERS.map(({ command }) => command), 'sudo'].filter((name) => findOnPath(name) !== undefined);
  const isRoot = process.getuid?.() === 0;
  return { commands, isRoot, sudo: isRoot || !commands.includes('sudo') ? 'no' : askSudo() };
}

function askSudo() {
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return 'free';
  return process.stdin.isTTY && process.stderr.isTTY ? 'asks' : 'no';
}

function findOnPath(command) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, command);
    try {
      accessSync(file, constants.X_OK);
      if (folder !== '' && statSync(file).isFile()) return file;
    } catch {
      // Not here, or not for us: the next folder may have it.
    }
  }
  return undefined;
}

/** Runs one step, its output on stderr: stdout belongs to the command that called for the set-up. */
function run({ argv: [command, ...args], says }) {
  say(`+ ${says}`);
  return spawnSync(command, args, { stdio: ['inherit', 2, 2] }).status === 0;
}

function describe({ command, file, version }) {
  return `${command} ${version ?? '(version unknown)'} (${file})`;
}

function say(line) {
  process.stderr.write(`setup:redis: ${line}\n`);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = main(process.argv.slice(2));
