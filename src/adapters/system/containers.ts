/** Containers that carry a label, ended through the command line of their engine: a client that dies ends none. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export interface ContainerEngine {
  /** Up to the subcommand: `docker`, `docker --context x`, `podman container`. */
  readonly program: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface EndedContainers {
  /** Ids of those that were still there. */
  readonly ended: readonly string[];
  /** What the engine said where one may be there yet; `null`: none is. */
  readonly failure: string | null;
}

/** `idFile`: where the engine was told to write the id of the container that it made. */
export async function endContainers(
  engine: ContainerEngine,
  label: string,
  idFile: string,
): Promise<EndedContainers> {
  const ended: string[] = [];
  const end = async (ids: readonly string[], ...how: readonly string[]): Promise<void> => {
    for (const id of ids) if ((await ask(engine, [...how, id])).ok) ended.push(id);
  };
  try {
    if ((await listed(engine, label, live)).length === 0) return { ended, failure: null };
    // One that was made and not started yet cannot be killed, and may be about to start: those first.
    await end(await listed(engine, label, ['created']), 'rm', '--force');
    await end(await listed(engine, label, ['running', 'paused']), 'kill');
    const left = await listed(engine, label, live);
    return { ended, failure: left.length === 0 ? null : `container ${left.join(', ')} did not end` };
  } catch (error) {
    // An engine that cannot be asked: where it wrote no id it has made none either.
    const id = idIn((await readFile(idFile, 'utf8').catch(() => '')).trim());
    await end(id, 'kill');
    const isOver = id.length === ended.length;
    return { ended, failure: isOver ? null : error instanceof Error ? error.message : String(error) };
  }
}

/** What docker and podman both call so. */
const live = ['created', 'running', 'paused'] as const;
const patienceMs = 15_000;

async function listed(
  engine: ContainerEngine,
  label: string,
  states: readonly string[],
): Promise<readonly string[]> {
  const filters = [`label=${label}`, ...states.map((state) => `status=${state}`)];
  const answer = await ask(engine, [
    ...['ps', '--all', '--quiet', '--no-trunc'],
    ...filters.flatMap((filter) => ['--filter', filter]),
  ]);
  if (!answer.ok) throw new Error(answer.message);
  return answer.stdout.split('\n').flatMap((line) => idIn(line.trim()));
}

function idIn(text: string): readonly string[] {
  return /^[0-9a-f]{64}$/.test(text) ? [text] : [];
}

type Answer =
  { readonly ok: true; readonly stdout: string } | { readonly ok: false; readonly message: string };

function ask(
  { program: [program, ...first], env }: ContainerEngine,
  args: readonly string[],
): Promise<Answer> {
  const options = { env, timeout: patienceMs, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    execFile(program, [...first, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ ok: true, stdout });
      else resolve({ ok: false, message: stderr.trim() === '' ? error.message : stderr.trim() });
    });
  });
}
