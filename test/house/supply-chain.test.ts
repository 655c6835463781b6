import { describe, expect, it } from 'vitest';
import { listRepository, readRepository } from '../support/repository.ts';

interface PackageJson {
  name: string;
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  overrides?: Record<string, string>;
}

interface LockedPackage {
  version: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  dev?: boolean;
  optional?: boolean;
  hasInstallScript?: boolean;
}

const manifest = JSON.parse(readRepository('package.json')) as PackageJson;
const lock = JSON.parse(readRepository('package-lock.json')) as { packages: Record<string, LockedPackage> };
const locked = Object.entries(lock.packages).filter(([place]) => place !== '');
const wanted = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.overrides };

describe('the lock file', () => {
  it('takes every package from the public registry, and nothing from git, a file or another host', () => {
    const elsewhere = locked.filter(
      ([, { resolved, link }]) =>
        link || (resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/')),
    );
    expect(elsewhere).toEqual([]);
  });

  it('has the hash of every package', () => {
    expect(locked.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([place]) => place)).toEqual([]);
  });

  it('is for this package.json', () => {
    const root = lock.packages[''] as unknown as PackageJson;
    expect(root.dependencies).toEqual(manifest.dependencies);
    expect(root.devDependencies).toEqual(manifest.devDependencies);
    for (const [name, version] of Object.entries(wanted))
      expect(`${name} ${lock.packages[`node_modules/${name}`]?.version}`).toBe(`${name} ${version}`);
  });

  it('has no package with a script to run at install besides these two, which work without', () => {
    const scripted = locked.filter(([, entry]) => entry.hasInstallScript).map(([place]) => place);
    expect(scripted).toEqual(['node_modules/esbuild', 'node_modules/msgpackr-extract']);
  });

  it('has no dependency that is named by anything but a version', () => {
    const entries = locked as unknown as [string, Pick<PackageJson, 'dependencies'>][];
    const odd = entries.flatMap(([place, { dependencies = {} }]) =>
      Object.entries(dependencies)
        .filter(([, range]) => /[:/]/.test(range) && !range.startsWith('npm:'))
        .map(([name, range]) => `${place} ${name} ${range}`),
    );
    expect(odd).toEqual([]);
  });

  it('has no package in what users install that must run a script of its own', () => {
    const scripted = locked.filter(([, entry]) => entry.hasInstallScript && !entry.dev && !entry.optional);
    expect(scripted.map(([place]) => place)).toEqual([]);
  });
});

describe('npm, as the project sets it up', () => {
  it('runs no scripts of packages, and takes no young versions and nothing that is not from the registry', () => {
    const settings = readRepository('.npmrc').trim().split('\n');
    const sources = ['git', 'remote', 'file', 'directory'].map((source) => `allow-${source}=none`);
    expect(settings).toEqual(expect.arrayContaining(['ignore-scripts=true', 'min-release-age=7', ...sources]));
    expect(settings.filter((line) => /registry|exclude|_auth|token/i.test(line))).toEqual([]);
  });
});

describe('the dependencies', () => {
  it('have exact versions', () => {
    expect(Object.entries(wanted).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('are installed without running their scripts', () => {
    expect(readRepository('.npmrc').split('\n')).toContain('ignore-scripts=true');
  });

  it('are all explained, with their version, and nothing else is', () => {
    const rows = readRepository('docs/dependencies.md').matchAll(/^\| `([^`]+)` \| ([\d.]+) \|/gm);
    expect(Object.fromEntries([...rows].map(([, name, version]) => [name, version]))).toEqual(wanted);
  });
});

describe('the workflows', () => {
  it('use actions by hash, with few rights', () => {
    for (const name of listRepository('.github/workflows')) {
      const text = readRepository(name);
      const used = [...text.matchAll(/\buses:\s*(.+)/g)].map(([, action]) => action);
      expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d/.test(action!))).toEqual([]);
      expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
    }
  });
});
