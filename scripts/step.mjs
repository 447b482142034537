/** How a script of ours ends: quietly, or with what went wrong in words and exit code 3. Never a stack trace. */

export async function runStep(step) {
  try {
    await step();
  } catch (error) {
    process.stderr.write(`mica: ${error.message}\n`);
    process.exitCode = 3;
  }
}
