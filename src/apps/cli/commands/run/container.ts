/** A container's command line with the leased slices in it, and with what names the container to whoever ends it. */
import { basename } from 'node:path';
import type { LeasableSlice } from '#core/run/slice';

export type ContainerTool = 'docker' | 'podman';

export interface ContainerOf {
  readonly lease: string;
  readonly slices: readonly Pick<LeasableSlice, 'device'>[];
  /** Where the engine is to write the container's id; there is no such file yet. */
  readonly idFile: string;
}

export interface ContainerCommand {
  readonly command: readonly [string, ...string[]];
  /** The engine as the command calls it: with its global options, up to `run`. */
  readonly engine: readonly [string, ...string[]];
}

/**
 * Behind `run`, wherever that stands: `docker run ...`, `docker --context x container run ...`, or, without a program,
 * the arguments of `run` alone.
 */
export function inContainer(
  tool: ContainerTool,
  command: readonly [string, ...string[]],
  container: ContainerOf,
): ContainerCommand {
  const [program, ...args] = command;
  const options = optionsFor(tool, container);
  const run = args.indexOf('run');
  if (basename(program) !== tool || run === -1) {
    return { command: [tool, 'run', ...options, ...command], engine: [tool] };
  }
  const engine = [program, ...args.slice(0, run)] as const;
  return { command: [...engine, 'run', ...options, ...args.slice(run + 1)], engine };
}

export function labelOf(lease: string): string {
  return `mica.lease=${lease}`;
}

/**
 * A container is no child of the engine's client: the label and the file say which it is, and the lease in its
 * environment says it to whoever finds its processes. Docker reads the value of --gpus as CSV, so that a list of devices
 * stands in quotes of its own.
 */
function optionsFor(tool: ContainerTool, { lease, slices, idFile }: ContainerOf): readonly string[] {
  const devices = slices.map(({ device }) => device);
  const list = `device=${devices.join(',')}`;
  const gpus =
    tool === 'podman'
      ? devices.flatMap((device) => ['--device', `nvidia.com/gpu=${device}`])
      : ['--gpus', devices.length === 1 ? list : `"${list}"`];
  return [...gpus, '--cidfile', idFile, '--label', labelOf(lease), '--env', `MICA_LEASE=${lease}`];
}
