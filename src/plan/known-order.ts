/**
 * How much of a plan's order is known while it still has mistakes. Checks of the order say what stays true when the mistakes
 * are mended, and nothing that may only follow from them.
 */
export interface KnownOrder {
  /** Every need is there, nothing goes in a circle, and listed stages have every task once: what is not before is not before. */
  isWhole: boolean;
  /** The stages that the author lists have every task once; true where none are listed. */
  hasStages: boolean;
  /** Whether two tasks, by index, need each other in a circle that is told already. */
  isInCycle(one: number, other: number): boolean;
}
