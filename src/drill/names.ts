/** The checks of the drill, in their order; apart from what performs them, since the command line reads the names at once. */
export const CHECK_NAMES = ['fail', 'kill', 'stop', 'hang', 'flood', 'limits', 'deploy', 'redo'] as const;

export type CheckName = (typeof CHECK_NAMES)[number];
