/** Types of the decisions in setup-redis.mjs, for its tests. */
export interface FoundServer {
  command: string;
  file: string;
  version: string | undefined;
}

export interface System {
  commands: string[];
  isRoot: boolean;
  sudo: 'free' | 'asks' | 'no';
}

export interface Step {
  argv: string[];
  says: string;
}

export type Installation =
  | { kind: 'install'; prepare: Step[]; installs: Step[]; message: string }
  | { kind: 'impossible'; message: string };

export type Choice = { kind: 'ready' | 'too-old'; server: FoundServer } | { kind: 'missing' };

export const MINIMUM_VERSION: string;
export const SERVER_COMMANDS: string[];
export function parseServerVersion(text: string): string | undefined;
export function isAtLeast(version: string, minimum: string): boolean;
export function chooseServer(found: FoundServer[]): Choice;
export function planInstallation(system: System): Installation;
