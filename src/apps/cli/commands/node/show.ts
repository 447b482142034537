/** `mica node show`: the GPUs of this machine drawn as slices, and who is in them. */
import { asArgument } from '#core/geometry/placement';
import { formatMiB } from '#core/units';
import type { GpuInstance } from '#ports/gpu-driver';
import type { AnswerExit, Context } from '../../command.js';
import { drawGpus, type DrawnGpu } from '../../draw/gpu.js';
import { shortName } from '#core/catalogue/short-name';
import { printJson } from '../../terminal/json.js';
import { printable } from '../../terminal/screen.js';
import { tableOf } from '../../terminal/table.js';
import { withNode, type DriverFlags } from './open-node.js';
import { processesIn, processInWords, seeGpus, type SeenGpu } from './see-gpus.js';

export async function showCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: DriverFlags,
): Promise<AnswerExit> {
  const { kind, seen } = await withNode(host, flags, async ({ driver }) => ({
    kind: driver.kind,
    seen: await seeGpus(driver),
  }));
  if (json) {
    printJson(screen, { driver: kind, gpus: seen.map(asJson) });
    return 0;
  }
  if (seen.length === 0) {
    screen.print('this machine has no NVIDIA GPU that the driver lists');
    return 0;
  }
  screen.print(drawGpus(seen.map(drawnGpu), screen.columns));
  const rows = seen.flatMap(rowsOf);
  if (rows.length > 0) {
    const columns = [{ head: 'GPU' }, { head: 'SLICE' }, { head: 'MEMORY' }, { head: 'WHO' }];
    screen.print(`\n${tableOf(screen, columns, rows)}`);
  }
  for (const gpu of seen) for (const remark of remarksOf(gpu)) screen.print(`\n${remark}`);
  return 0;
}

/** The GPU as a drawing; a slice is in use where a process is in it. */
export function drawnGpu(gpu: SeenGpu): DrawnGpu {
  const { info, card, instances } = gpu;
  const label = `gpu-${info.index}`;
  const title = shortName(info);
  const users = processesIn(gpu, null);
  if (card === null || info.mig?.current !== true) {
    const who = users[0] === undefined ? 'free' : whoIn(users);
    return { label, title, card: { kind: 'whole', user: info.mig === null ? who : `MIG off, ${who}` } };
  }
  const slices = instances.map(({ id, placement }) => {
    const inside = processesIn(gpu, id);
    return { placement, user: inside.length === 0 ? null : whoIn(inside) };
  });
  const computeSlices = Math.max(0, ...card.profiles.map((profile) => profile.computeSlices));
  return { label, title, card: { kind: 'sliced', model: { ...card, computeSlices }, slices } };
}

function whoIn(processes: SeenGpu['processes']): string {
  const [first, ...others] = processes;
  const name = printable(first?.name ?? `pid ${first?.pid ?? '?'}`);
  return others.length === 0 ? name : `${name} +${others.length}`;
}

function rowsOf(gpu: SeenGpu): readonly (readonly string[])[] {
  const index = String(gpu.info.index);
  const slices = gpu.instances.map((instance) => {
    const inside = processesIn(gpu, instance.id);
    const who = inside.length === 0 ? 'free' : inside.map(inWords).join(', ');
    return [index, asArgument(instance.placement), memoryOf(instance), who];
  });
  const outside = processesIn(gpu, null);
  return outside.length === 0 ? slices : [...slices, [index, '-', '', outside.map(inWords).join(', ')]];
}

function inWords(process: SeenGpu['processes'][number]): string {
  const memory = process.usedMiB === null ? '' : ` ${formatMiB(process.usedMiB)}`;
  return printable(`${processInWords(process)}${memory}`);
}

function memoryOf({ memory, computeInstances }: GpuInstance): string {
  if (computeInstances.length === 0) return 'unusable: no compute instance';
  return memory === null ? '' : `${formatMiB(memory.usedMiB)} of ${formatMiB(memory.totalMiB)}`;
}

function remarksOf({ info, troubles }: SeenGpu): readonly string[] {
  const { mig } = info;
  const pending =
    mig === null || mig.current === mig.pending
      ? []
      : [
          `GPU ${info.index}: MIG is ${mig.current ? 'on' : 'off'} and will be ${mig.pending ? 'on' : 'off'} after a GPU reset or a reboot`,
        ];
  return [...pending, ...troubles.map((trouble) => printable(`GPU ${info.index}: ${trouble}`))];
}

function asJson(gpu: SeenGpu): object {
  const { info, model, instances, troubles } = gpu;
  return {
    ...info,
    model: model?.key ?? null,
    slices: instances.map(({ id, placement, computeInstances, memory }) => ({
      ...placement,
      id,
      uuids: computeInstances.flatMap(({ uuid }) => uuid ?? []),
      memory,
      processes: processesIn(gpu, id).map(processAsJson),
    })),
    processes: processesIn(gpu, null).map(processAsJson),
    ...(troubles.length === 0 ? {} : { troubles }),
  };
}

function processAsJson({ pid, name, usedMiB }: SeenGpu['processes'][number]): object {
  return { pid, name, usedMiB };
}
