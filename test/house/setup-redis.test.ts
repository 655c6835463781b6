import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  chooseServer,
  type FoundServer,
  isAtLeast,
  MINIMUM_VERSION,
  parseServerVersion,
  planInstallation,
  type System,
} from '../../scripts/setup-redis.mjs';
import { ROOT } from '../support/repository.ts';

describe('the server on PATH', () => {
  it.each([
    ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0', '7.0.15'],
    ['Valkey server v=8.1.3 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1', '8.1.3'],
    ['Server v=7.2.5 sha=00000000:0 malloc=libc bits=64 build=1', '7.2.5'],
    ['', undefined],
    ['command not found', undefined],
  ])('says its version: %s', (text, version) => {
    expect(parseServerVersion(text)).toBe(version);
  });

  it('is compared part by part, as numbers', () => {
    expect(isAtLeast('6.2.0', '6.2.0')).toBe(true);
    expect(isAtLeast('10.0.0', '6.2.0')).toBe(true);
    expect(isAtLeast('6.10.0', '6.2.0')).toBe(true);
    expect(isAtLeast('6.0.16', '6.2.0')).toBe(false);
    expect(isAtLeast('5.9.9', '6.2.0')).toBe(false);
  });

  it('is the first that is new enough', () => {
    const server = (command: string, version?: string): FoundServer => ({
      command,
      file: `/usr/bin/${command}`,
      version,
    });
    expect(chooseServer([])).toEqual({ kind: 'missing' });
    expect(chooseServer([server('redis-server', '7.0.15'), server('valkey-server', '8.0.0')])).toMatchObject({
      kind: 'ready',
      server: { command: 'redis-server' },
    });
    expect(chooseServer([server('redis-server', '5.0.7'), server('valkey-server', '8.0.0')])).toMatchObject({
      kind: 'ready',
      server: { command: 'valkey-server' },
    });
    expect(chooseServer([server('redis-server', '5.0.7')])).toMatchObject({ kind: 'too-old' });
    expect(chooseServer([server('redis-server', undefined)])).toMatchObject({ kind: 'too-old' });
  });
});

describe('what would be run', () => {
  /** The plan as a person is told of it. */
  const told = (system: System): { prepare: string[]; installs: string[] } | string => {
    const plan = planInstallation(system);
    if (plan.kind === 'impossible') return plan.message;
    const says = (steps: { says: string }[]): string[] => steps.map((step) => step.says);
    return { prepare: says(plan.prepare), installs: says(plan.installs) };
  };

  it('as root on Debian: refresh, then redis, else valkey, with no service started', () => {
    const plan = planInstallation({ commands: ['apt-get'], isRoot: true, sudo: 'no' });
    if (plan.kind === 'impossible') throw new Error(plan.message);
    expect(plan.prepare.map(({ argv }) => argv)).toEqual([['apt-get', 'update', '-q']]);
    expect(plan.installs.map(({ argv }) => argv.at(-1))).toEqual(['redis-server', 'valkey-server']);
    expect(plan.installs[0]!.says).toContain('without starting its service');
    const script = plan.installs[0]!.argv[2]!;
    expect(script).toContain('install -y --no-install-recommends "$1"');
    expect(script).toContain('exit 101');
    expect(spawnSync('sh', ['-n', '-c', script]).status).toBe(0);
  });

  it('as root elsewhere', () => {
    expect(told({ commands: ['dnf'], isRoot: true, sudo: 'no' })).toEqual({
      prepare: [],
      installs: ['dnf install -y valkey', 'dnf install -y redis'],
    });
    expect(told({ commands: ['apk'], isRoot: true, sudo: 'no' })).toEqual({
      prepare: [],
      installs: ['apk add --no-cache redis', 'apk add --no-cache valkey'],
    });
  });

  it('with sudo only where one is not root, and never asking where nobody can answer', () => {
    const argv = (system: System): string[] => {
      const plan = planInstallation(system);
      return plan.kind === 'install' ? plan.installs[0]!.argv.slice(0, 3) : [];
    };
    expect(argv({ commands: ['dnf', 'sudo'], isRoot: false, sudo: 'free' })).toEqual(['sudo', '-n', 'dnf']);
    expect(argv({ commands: ['dnf', 'sudo'], isRoot: false, sudo: 'asks' })).toEqual(['sudo', 'dnf', 'install']);
    expect(argv({ commands: ['dnf', 'sudo'], isRoot: true, sudo: 'free' })).toEqual(['dnf', 'install', '-y']);
    expect(argv({ commands: ['brew', 'sudo'], isRoot: false, sudo: 'free' })).toEqual(['brew', 'install', 'redis']);
  });

  it('nothing without the right to: the exact line to type instead', () => {
    expect(told({ commands: ['apt-get'], isRoot: false, sudo: 'no' })).toContain(
      "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends redis-server'",
    );
    expect(told({ commands: ['brew'], isRoot: true, sudo: 'no' })).toContain('\n  brew install redis\n');
  });

  it('nothing where no package manager is known: what is needed instead', () => {
    expect(told({ commands: ['sudo'], isRoot: false, sudo: 'free' })).toContain(
      'install redis-server or valkey-server',
    );
  });
});

describe('npm run setup:redis', () => {
  let bin: string;
  /** Puts a made-up command on the PATH of the set-up. */
  const addCommand = (name: string, script: string): void => {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, name), 0o755);
  };
  const run = (...argv: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [path.join(ROOT, 'scripts', 'setup-redis.mjs'), ...argv], {
      env: { PATH: bin },
      encoding: 'utf8',
    });
  const answer = (version: string): string => `echo "Redis server v=${version} sha=0"`;
  beforeEach(() => {
    bin = mkdtempSync(path.join(tmpdir(), 'planq-bin-'));
    for (const name of ['cat', 'chmod']) symlinkSync(`/bin/${name}`, path.join(bin, name));
    // Takes the place of the real one: the made-up package managers are run all the same.
    addCommand('sudo', '[ "$1" = -n ] && shift\n"$@"');
    addCommand('true', 'exit 0');
  });
  afterEach(() => rmSync(bin, { recursive: true, force: true }));

  it('names the server that is there, or says nothing when told to be quiet', () => {
    addCommand('redis-server', answer('7.0.15'));
    expect(run()).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('redis-server 7.0.15') });
    expect(run('--quiet')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  it('installs one where there is none, and says so before it does', () => {
    addCommand(
      'dnf',
      `[ "$3" = redis ] || { echo "no such package"; exit 1; }
cat > ${bin}/redis-server <<'END'
#!/bin/sh
${answer('7.2.4')}
END
chmod 755 ${bin}/redis-server`,
    );
    const { status, stdout, stderr } = run('--quiet');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toMatch(
      /there is no redis-server.*\n.*\+ .*dnf install -y valkey\nno such package\n.*\+ .*dnf install -y redis\n.*installed redis-server 7\.2\.4/,
    );
  });

  it('fails with the line to type when the installation brings nothing', () => {
    addCommand('dnf', 'exit 1');
    expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining("sudo sh -c 'dnf install -y valkey") });
  });

  it('fails with what is needed when there is no package manager it knows', () => {
    expect(run()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('install redis-server or valkey-server'),
    });
  });

  it('does not take a server that is too old, and leaves it alone', () => {
    addCommand('redis-server', answer('5.0.7'));
    addCommand('dnf', 'echo "must not run"');
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toContain(`redis-server 5.0.7 (${bin}/redis-server) will not do: planq needs ${MINIMUM_VERSION}`);
    expect(stderr).not.toContain('must not run');
  });
});
