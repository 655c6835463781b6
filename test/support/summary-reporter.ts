/**
 * The last line of a test run, in one plain form that people and machines can read: `12 passed, 0 failed`. A file or a
 * suite that could not be set up and an error that no test caught count as failed: "0 failed" means that all is well.
 */
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[], reason: TestRunEndReason): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state]++;
      for (const group of [module, ...module.children.allSuites()]) if (group.errors().length > 0) counts.failed++;
    }
    const parts = [`${counts.passed} passed`, `${counts.failed} failed`];
    if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`);
    if (counts.pending > 0 || reason === 'interrupted') parts.push(`${counts.pending} not run`);
    process.stdout.write(`\n${parts.join(', ')}\n`);
  }
}
