/** Counts a vitest JSON report, so that nothing that went wrong counts as nothing. */

/**
 * `report` is undefined where vitest wrote none; `exitedWell` is its own verdict. A file that could not be loaded is one
 * failure, and so is an error outside every test. `notes` name what was skipped, with the reason that its title gives.
 */
export function summarize(report, exitedWell) {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0, notes: ['vitest wrote no report\n'] };
  let failed = 0;
  let passed = 0;
  const skippedIn = new Map();
  for (const file of report.testResults) {
    const count = (...states) => file.assertionResults.filter(({ status }) => states.includes(status)).length;
    passed += count('passed');
    failed += file.status === 'failed' ? Math.max(1, count('failed')) : 0;
    for (const test of file.assertionResults) {
      if (test.status === 'passed' || test.status === 'failed') continue;
      const suite = test.ancestorTitles[0] ?? test.title;
      skippedIn.set(suite, (skippedIn.get(suite) ?? 0) + 1);
    }
  }
  if (!exitedWell && failed === 0) failed = 1;
  if (passed + failed === 0) return { passed, failed: 1, skipped: 0, notes: ['vitest ran no test\n'] };
  const notes = [...skippedIn].map(([suite, count]) => `       skipped: ${suite} (${count})\n`);
  return { passed, failed, skipped: [...skippedIn.values()].reduce((sum, count) => sum + count, 0), notes };
}
