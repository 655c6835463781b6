/**
 * `npm run bench`: planq's own cost beside raw BullMQ. Progress goes to stderr, the table to stdout. A whole run writes
 * `bench/results.json` and the table in docs/performance.md; part of one, or a quick one, only where `--out` says.
 */
import path from 'node:path';
import { updateDocs } from './docs.ts';
import { type Lab, openLab } from './lab.ts';
import { type Options, PARTS, readOptions } from './options.ts';
import { cli } from './parts/cli.ts';
import { commands } from './parts/commands.ts';
import { growth } from './parts/growth.ts';
import { idle } from './parts/idle.ts';
import { latency } from './parts/latency.ts';
import { order } from './parts/order.ts';
import type { Detail, PartFile } from './parts/part.ts';
import { shapes } from './parts/shapes.ts';
import { throughput } from './parts/throughput.ts';
import { profile } from './profile.ts';
import { RESULTS, toResults, writeResults } from './results.ts';
import { type Row, toText } from './rows.ts';

const FILES: readonly PartFile[] = [throughput, commands, latency, shapes, idle, cli, growth, order];

async function main(options: Options): Promise<void> {
  const opening = openLab(options);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void giveUp(opening));
  const lab = await opening;
  try {
    if (options.profile === null) await measure(lab);
    else await profile(lab, options.profile);
  } finally {
    await lab.close();
  }
}

async function measure(lab: Lab): Promise<void> {
  const { parts, quick, rounds, out } = lab.options;
  const rows: Row[] = [];
  const details: Detail[] = [];
  for (const file of FILES.filter((one) => one.parts.some((part) => parts.includes(part)))) {
    const findings = await file.measure(lab);
    rows.push(...findings.rows.filter(({ part }) => parts.includes(part)));
    details.push(...(findings.details ?? []));
  }
  rows.sort((a, b) => PARTS.indexOf(a.part) - PARTS.indexOf(b.part));
  process.stdout.write(`${toText(rows)}\n`);
  for (const { name, lines } of details) process.stdout.write(`\n${name}\n${lines.join('\n')}\n`);
  const isWhole = !quick && parts.length === PARTS.length;
  const file = out === null ? (isWhole ? RESULTS : null) : path.resolve(out);
  if (file === null) return;
  writeResults(file, toResults(rows, { quick, rounds, redis: lab.server.version }));
  if (file === RESULTS) updateDocs();
}

async function giveUp(opening: Promise<Lab>): Promise<void> {
  await (await opening).close();
  process.exit(130);
}

const options = readOptions(process.argv.slice(2));
if (options.docs) updateDocs();
else await main(options);
