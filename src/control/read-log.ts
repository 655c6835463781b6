/**
 * A task's output: its log file where this machine sees it, else the last lines that Redis keeps.
 */
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { Store } from '../producer/store.ts';
import { taskPaths } from '../producer/workspace.ts';
import { PlanqError } from '../runtime/errors.ts';
import { openInside } from '../runtime/open-inside.ts';
import { showRunDetails } from './show-run.ts';
import { readTaskTail, type TaskDetails } from './show-task.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * The file's bytes from `from` to its present end, in chunks.
 * @returns nothing when there is no such file
 */
export async function* readLogFrom(file: string, from: number): AsyncGenerator<Buffer, void, void> {
  // The agent has its log in its hands and may have put a link there; whoever reads the log here may see more than it.
  const opened = await openInside(file, { roots: [path.dirname(file)], kind: 'file' });
  if (!opened.ok) {
    if (opened.error.kind === 'missing') return;
    throw new PlanqError('log_not_found', `cannot read the log "${file}": ${opened.error.reason}`);
  }
  const { handle } = opened.value;
  try {
    for (let at = from; ; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Where the last `lines` lines of the file begin; its end when there is no such file. */
export async function findLastLines(file: string, lines: number): Promise<number> {
  const starts: number[] = [0];
  let at = 0;
  for await (const chunk of readLogFrom(file, 0)) {
    for (let found = chunk.indexOf(10); found >= 0; found = chunk.indexOf(10, found + 1)) {
      starts.push(at + found + 1);
      if (starts.length > lines + 1) starts.shift();
    }
    at += chunk.length;
  }
  // A last line without its end counts as a line; after a line end nothing has begun yet.
  if (starts.at(-1) === at) return starts.at(-lines - 1) ?? starts[0]!;
  return starts.at(-lines) ?? starts[0]!;
}

const NAMED_AT_MOST = 10;

/** In words: which tasks of a run have output, in the order of the plan. */
export async function describeLogs(store: Store, runText: string | undefined): Promise<string> {
  const details = await showRunDetails(store, runText);
  const { id } = details.run;
  const found: string[] = [];
  for (const [index, task] of details.tasks.entries()) {
    if (task.attempt === 0) continue;
    const { logFile } = taskPaths(details.projectDir, details.workspaceDir, task.id);
    const size = (await lstat(logFile).catch(() => null))?.size ?? 0;
    if (size > 0 || (await store.record.readTail(id, index)).length > 0) found.push(task.id);
    if (found.length > NAMED_AT_MOST) break;
  }
  if (found.length === 0) return `no task of run ${id} has written anything`;
  const more = found.length > NAMED_AT_MOST ? ' and more' : '';
  return `tasks with output: ${found.slice(0, NAMED_AT_MOST).join(', ')}${more}`;
}

/** The tail that Redis keeps. @throws PlanqError `log_not_found` when there is none either */
export async function readKeptTail(store: Store, details: TaskDetails): Promise<string[]> {
  const lines = await readTaskTail(store, details);
  if (lines.length > 0) return lines;
  const { task, runId } = details;
  const others = await describeLogs(store, runId);
  throw new PlanqError(
    'log_not_found',
    `cannot find output of task "${task.id}" in run ${runId}: it is ${task.state}`,
    {
      hint:
        task.attempt === 0
          ? `it has not started; wait for it with "planq logs ${runId} ${task.id} -f"; ${others}`
          : `it wrote nothing; ${others}`,
      facts: { run: runId, task: task.id, file: details.logFile },
    },
  );
}
