/**
 * What all parts share: the server, a folder for projects, the processes, and one way to end all of it.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type MeasuredProcess, type Program, startProcess } from './measured-process.ts';
import type { Options } from './options.ts';
import { type BenchServer, startServer } from './server.ts';

export interface Lab {
  options: Options;
  server: BenchServer;
  /** Progress, for people. */
  say(text: string): void;
  /** A number of this name's own, for prefixes and folders. */
  next(): string;
  /** A fresh project folder whose limits are out of the way. */
  project(): Promise<string>;
  startProcess(program: Program, nodeOptions?: readonly string[]): Promise<MeasuredProcess>;
  /** Another server, beside the one that all use. */
  startServer(): Promise<BenchServer>;
  close(): Promise<void>;
}

/** The limits of a default installation are for agents that think for minutes; what is measured here is not them. */
const WIDE = 100_000;
const CONFIG = {
  keep: 'off',
  limits: {
    agents: WIDE,
    phases: Object.fromEntries(
      ['analysis', 'planning', 'implementation', 'validation', 'optimization'].map((phase) => [phase, WIDE]),
    ),
  },
};

export async function openLab(options: Options): Promise<Lab> {
  const folder = await mkdtemp(path.join(tmpdir(), 'planq-bench-'));
  const ends: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const addServer = async (): Promise<BenchServer> => {
    const server = await startServer();
    ends.push(server.stop);
    return server;
  };
  let count = 0;
  const next = (): string => String(++count);
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    for (const end of ends.reverse()) await end();
  };
  return {
    options,
    server: await addServer(),
    say: (text) => void process.stderr.write(`${text}\n`),
    next,
    project: async () => {
      const project = path.join(folder, `project-${next()}`);
      await mkdir(project);
      await writeFile(path.join(project, 'planq.config.json'), JSON.stringify(CONFIG));
      return project;
    },
    startProcess: async (program, nodeOptions) => {
      const started = await startProcess(program, nodeOptions);
      ends.push(started.end);
      return started;
    },
    startServer: addServer,
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
}
