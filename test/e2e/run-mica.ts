/** Runs the CLI inside the test's process: what it printed, and the exit code. */
import { main } from '#apps/cli/main';

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

/** Into a pipe unless `columns` make it a terminal. */
export async function runMica(
  args: readonly string[],
  { env = {}, columns }: { readonly env?: Readonly<Record<string, string>>; readonly columns?: number } = {},
): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  const exit = await main(args, {
    out: { write: (text) => void (stdout += text), ...terminal },
    err: { write: (text) => void (stderr += text) },
    env,
  });
  return { stdout, stderr, exit };
}
