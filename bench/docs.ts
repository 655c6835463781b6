/** The table in docs/performance.md is the committed results, between two marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Results, readResults } from './results.ts';
import { toMarkdown } from './rows.ts';

export const PAGE = path.join(import.meta.dirname, '../docs/performance.md');

const BEGIN = '<!-- results: written by npm run bench -->';
const END = '<!-- end of results -->';

/** The page with this table in place of the one that is there. @throws Error when the marks are not there */
export function withResults(page: string, results: Results): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md has no "${BEGIN}" before "${END}"`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${toSection(results)}\n\n${page.slice(end)}`;
}

export function updateDocs(): void {
  writeFileSync(PAGE, withResults(readFileSync(PAGE, 'utf8'), readResults()));
}

function toSection({ date, rounds, machine, rows }: Results): string {
  const { cores, node, redis, bullmq, planq } = machine;
  return [
    `Measured on ${date}: ${rounds} rounds on ${cores} cores, Node ${node}, Redis ${redis}, BullMQ ${bullmq}, planq ${planq}.`,
    '',
    toMarkdown(rows),
  ].join('\n');
}
