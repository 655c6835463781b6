/** The public API. */
export type { App, AppOptions } from './app.ts';
export { createApp } from './app.ts';
export type { Event, EventType, RunEvent, TaskEvent, TasksEvent } from './events/event.ts';
export type { Report } from './flows/report.ts';
export type { Counts, RunSummary, RunView, TaskView } from './flows/run-view.ts';
export type { Graph, Plan, Task } from './plan/plan.ts';
export type { RunState, TaskState } from './plan/states.ts';
export type { LoadedPlan } from './producer/load-plan.ts';
export type { SubmitOptions, Submitted } from './producer/submit.ts';
export type { Clock } from './runtime/clock.ts';
export type { Config, ConfigOverrides } from './runtime/config.ts';
export type { ErrorCode } from './runtime/errors.ts';
export { PlanqError } from './runtime/errors.ts';
export type { Problem } from './runtime/problem.ts';
