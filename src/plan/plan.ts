/**
 * The domain's nouns. A document goes through three types: what a parser read ({@link RawPlan}, in `schema.ts`), the
 * {@link Plan} that is known to be valid, and the {@link Graph} that is made of it. Only a valid plan can be compiled.
 * Pure: nothing here reads files, the clock or the environment.
 */

export type Barrier = 'stage' | 'phase' | 'none';

/**
 * When a need counts as met.
 * - `success`: it completed (or failed with `continue-on-error`)
 * - `done`: it ended in whatever way, also when it could not run because something before it failed
 * - `failed`: it failed, or could not run because something before it failed
 */
export type NeedCondition = 'success' | 'done' | 'failed';

export interface Need {
  task: string;
  when: NeedCondition;
}

/**
 * - `block`: what needs it waits for a person; the run is blocked
 * - `continue`: the run goes on without what needs it, and ends as failed
 * - `cancel`: the rest of the run is stopped, and it ends as failed
 */
export type OnFailure = 'block' | 'continue' | 'cancel';

export type Priority = 'critical' | 'high' | 'medium' | 'low';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

export interface Estimate {
  /** Lower and upper bound of the work time, in minutes (equal when one number was given). */
  minMinutes: number;
  maxMinutes: number;
  tokens?: number;
}

/** A declared output or input, resolved as far as words go. */
export interface FileRef {
  /** As the author wrote it. */
  text: string;
  /**
   * Where to look, relative to the project folder unless `base` says the task's own output folder; in the order to try.
   * Outputs have exactly one candidate. Forward slashes. `workspace/…` names the run's workspace, wherever that is.
   */
  candidates: { base: 'project' | 'workspace' | 'output'; path: string }[];
  /** A trailing slash: a directory that must exist and hold something. */
  directory: boolean;
  /** True when the path has a glob; then at least one match is needed. */
  glob: boolean;
}

export interface SourcePlace {
  file: string;
  line: number;
  column: number;
}

/** One task of a valid plan, defaults filled in. */
export interface Task {
  /** `[A-Za-z0-9][A-Za-z0-9._/-]*`, at most 200 characters, no `..` part; e.g. `design`, `01-analysis/02-categorize`. */
  id: string;
  title: string;
  /** What the agent is told: `prompt:` in YAML, the text after the front matter in Markdown, `description` in JSON. */
  prompt: string;
  master: string;
  /** Without its number: `analysis`, never `01-analysis`. */
  phase: string;
  needs: Need[];
  /** Kind of agent: `command` when `run` is given, else as named; null when neither the task nor the defaults say. */
  agent: string | null;
  /** Shell string (run by `sh -c`) or argv. */
  run: string | string[] | null;
  /** Options for the agent kind, checked by that kind. */
  with: Record<string, JsonValue>;
  env: Record<string, string>;
  /** Names of secrets that the worker gives it; values are never in a plan. */
  secrets?: string[];
  inputs: FileRef[];
  outputs: FileRef[];
  /** A command that must exit 0 after the outputs were found. */
  check: string | string[] | null;
  /** Resources besides the agent's own slot: name → amount, at least 1. */
  takes: Record<string, number>;
  /** Processors that the agent may use, may be a fraction; null = the configuration's default. */
  cpus: number | null;
  /** Bytes of memory that the agent may use; null = the configuration's default. */
  memoryBytes: number | null;
  priority: Priority;
  estimate: Estimate | null;
  /** Milliseconds; null = the phase's default. */
  timeoutMs: number | null;
  /** Tries in all, at least 1 (`retries: 2` means 3). */
  attempts: number;
  continueOnError: boolean;
  /** Waits for a person's approval before it starts. */
  approval?: boolean;
  /** A command that takes back what the task has done, when its run is cancelled with undo. Like `run`. */
  undo?: string | string[];
  /** Only in an undo run: the task that this one takes back, and its place in that run. */
  undoes?: { run: string; task: string; index: number };
  /** Matrix values of this variant, in the matrix's order; empty without one. */
  matrix: Record<string, string>;
  source: SourcePlace;
}

export interface PlanLimits {
  /** Most agents of this run at once; null = only the fleet's limit counts. */
  agents: number | null;
  /** Phase → most tasks of that phase and run at once; replaces the default of that phase. */
  phases: Record<string, number>;
  /** Master → most tasks of that master at once over all runs. */
  masters: Record<string, number>;
  /** Resource → capacity over all runs, for names that the config does not define. */
  resources: Record<string, number>;
}

export interface Plan {
  name: string;
  description: string;
  barrier: Barrier;
  /** Stages as the author listed them (ids after matrix expansion), or null: then they are the levels of the graph. */
  stages: string[][] | null;
  limits: PlanLimits;
  /** What a failure that nobody tolerates does to the rest of the run. Default `block`. */
  onFailure?: OnFailure;
  /** Groups that open only when a person approves: stage numbers, or phase names with `barrier: phase`. */
  approvals?: (number | string)[];
  /** In document order. Ids are unique, needs exist and have no cycle. */
  tasks: Task[];
  /** Where it came from, for messages. */
  source: { format: 'yaml' | 'json' | 'markdown' | 'orchestration'; file: string };
}

/**
 * What an edge of the compiled graph waits for. Beside the author's conditions, `passed` is the edge into a phase's gate:
 * completed, skipped or tolerated.
 */
export type EdgeCondition = NeedCondition | 'passed';

export interface GraphEdge {
  /** Index of the node that is waited for. */
  from: number;
  when: EdgeCondition;
}

/** A task or a gate of the compiled graph. Tasks come first, in plan order, so a task's index is its place in `plan.tasks`. */
export interface GraphNode {
  index: number;
  /** The task's id, or `gate:<n>`. */
  id: string;
  kind: 'task' | 'gate';
  /** 1-based stage (level or listed) of a task; for a gate, the stage it closes. */
  stage: number;
  /** The barrier group the node's job belongs to: with `stage` its stage, with `phase` its phase's ordinal (1-based), with `none` 0. */
  group: number;
  needs: GraphEdge[];
  /** Indexes of nodes that wait for this one, ascending. */
  dependents: number[];
  /** Longest path from here to the end, itself included, in minutes by the estimates' upper bounds. */
  remainingMinutes: number;
}

export interface Graph {
  nodes: GraphNode[];
  taskCount: number;
  /** Task ids per stage, in order. */
  stages: string[][];
  /** Phases in order of first stage, with `barrier: phase` the groups. */
  phases: string[];
}

/** Minutes assumed for a task without an estimate. */
export const DEFAULT_ESTIMATE_MINUTES = 10;
