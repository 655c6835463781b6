import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../support/repository.ts';

const MAIN = path.join(ROOT, 'dist', 'cli', 'main.js');

/** Made by the user, or for results: these follow the umask. Results that were moved aside lie in a folder that does not. */
const OPEN = /^(plan\.yaml|copy|go|workspace|workspace\/outputs(\/.*)?|workspace\/previous\/two\/1(\/.*)?)$/;

const PLAN = `
name: modes
tasks:
  part/one: { run: 'echo text > "$PLANQ_OUTPUT_DIR/one.txt"; ls -la "$PLANQ_WORKSPACE/pids/part" > "$PLANQ_OUTPUT_DIR/pids.txt"', outputs: [one.txt] }
  two: { needs: [part/one], run: 'test -e again || { touch again; touch "$PLANQ_OUTPUT_DIR/old"; exit 1; }' }
`;

/** `<rights> <name>` of everything below the folder. */
function rightsOf(dir: string): Map<string, number> {
  const entries = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return new Map(entries.map((name) => [name, lstatSync(path.join(dir, name)).mode & 0o777]));
}

it.each([
  ['000', 0o777, 0o666],
  ['022', 0o755, 0o644],
])('with umask %s what is not a result is for its owner alone', (umask, openFolder, openFile) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'planq-modes-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(path.join(dir, 'plan.yaml'), PLAN);
  const script = `umask ${umask}; "$0" "$1" run plan.yaml && "$0" "$1" export "$("$0" "$1" list --json | grep -o '"id": *"[a-z0-9]*"' | cut -d'"' -f4)" --out copy`;
  const { PATH, HOME } = process.env;
  const ended = spawnSync('/bin/sh', ['-c', script, process.execPath, MAIN], {
    cwd: dir,
    env: { PATH, HOME },
    encoding: 'utf8',
  });
  expect(ended.stderr).toBe('');
  const rights = rightsOf(dir);
  const wrong = [...rights].filter(([name, mode]) => !OPEN.test(name) && name !== 'again' && (mode & 0o077) !== 0);
  expect(wrong.map(([name, mode]) => `${mode.toString(8)} ${name}`)).toEqual([]);
  for (const name of [
    '.planq/redis/redis.log',
    'workspace/logs/part',
    'workspace/attempts/two/handoff.json',
    'workspace/report.md',
  ])
    expect([...rights.keys()]).toContain(name);
  expect(rights.get('workspace/outputs/part/one')).toBe(openFolder);
  expect(rights.get('workspace/outputs/part/one/one.txt')).toBe(openFile);
  expect(rights.get('workspace')).toBe(openFolder);
  expect(existsSync(path.join(dir, 'again'))).toBe(true);
});
