/**
 * BullMQ and ioredis warn on the console. What they say goes to stderr once and in planq's form; what planq has said
 * itself, better, is dropped.
 */
import type { Output } from './output.ts';

const SAID_BY_US = [/^IMPORTANT! Eviction policy/, /^It is highly recommended to use a minimum Redis version/];

/** @returns what gives the console back */
export function takeOverWarnings(output: Pick<Output, 'warn'>): () => void {
  const { warn } = console;
  const told = new Set<string>();
  console.warn = (...words: unknown[]): void => {
    const text = words.map(String).join(' ').replace(/\s+/g, ' ').trim();
    if (told.has(text) || SAID_BY_US.some((pattern) => pattern.test(text))) return;
    told.add(text);
    output.warn(text);
  };
  return () => {
    console.warn = warn;
  };
}
