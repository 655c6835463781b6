/**
 * The process in which a function of the user's module runs. Reads the call from standard input, writes the result to
 * PLANQ_OUTPUT. Ends with 0 when the function returned, with 1 and the stack in the log when it threw.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const call = JSON.parse(readFileSync(0, 'utf8'));

/** Told of TERM; a function that does not listen is killed after the grace. */
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('the attempt is being stopped')));

try {
  const run = await loadFunction(call.module, call.name, call.context.projectDir);
  const result = await run({ ...call.context, handoff: readHandoff(call.handoffFile), signal: stop.signal, progress });
  if (result !== undefined) writeResult(result);
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}

async function loadFunction(specifier, name, projectDir) {
  const module = await import(resolve(specifier, projectDir));
  if (typeof module[name] === 'function') return module[name];
  const exported = Object.keys(module).join(', ') || 'nothing';
  throw new Error(`${specifier} has no function "${name}"; it exports ${exported}`);
}

/** Paths are relative to the project, bare names are packages installed there. */
function resolve(specifier, projectDir) {
  if (specifier.startsWith('file:')) return specifier;
  if (/^\.{0,2}\//.test(specifier)) return pathToFileURL(path.resolve(projectDir, specifier)).href;
  return pathToFileURL(createRequire(path.join(projectDir, 'package.json')).resolve(specifier)).href;
}

function readHandoff(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

function progress(percent, message = '') {
  console.log(`::progress ${Number(percent)}::${String(message).replaceAll(/\s+/g, ' ')}`);
}

function writeResult(result) {
  const text = JSON.stringify(result);
  if (text === undefined) throw new Error(`the result is not JSON: a ${typeof result}`);
  const size = Buffer.byteLength(text);
  if (size > call.maxResultBytes - 100) {
    throw new Error(`the result is ${size} bytes of JSON, too much: write a file into outputDir and return its name`);
  }
  appendFileSync(call.outputFile, `\nresult=${text}\n`);
}
