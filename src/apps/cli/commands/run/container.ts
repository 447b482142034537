/** A container's command line with the leased slices in it. */
import { basename } from 'node:path';
import type { LeasableSlice } from '#core/run/slice';

export type ContainerTool = 'docker' | 'podman';

/**
 * Behind `run`, wherever that stands: `docker run ...`, `docker --context x container run ...`, or, without a program,
 * the arguments of `run` alone.
 */
export function inContainer(
  tool: ContainerTool,
  command: readonly [string, ...string[]],
  slices: readonly Pick<LeasableSlice, 'device'>[],
): readonly [string, ...string[]] {
  const [program, ...args] = command;
  const options = optionsFor(
    tool,
    slices.map(({ device }) => device),
  );
  const run = args.indexOf('run');
  if (basename(program) !== tool || run === -1) return [tool, 'run', ...options, ...command];
  return [program, ...args.slice(0, run + 1), ...options, ...args.slice(run + 1)];
}

/** Docker reads the value of --gpus as CSV, so that a list of devices stands in quotes of its own. */
function optionsFor(tool: ContainerTool, devices: readonly string[]): readonly string[] {
  if (tool === 'podman') return devices.flatMap((device) => ['--device', `nvidia.com/gpu=${device}`]);
  const list = `device=${devices.join(',')}`;
  return ['--gpus', devices.length === 1 ? list : `"${list}"`];
}
