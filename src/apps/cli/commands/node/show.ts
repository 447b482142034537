/** `mica node show`: the GPUs of this machine drawn as slices, and who is in them. */
import { asArgument } from '#core/geometry/placement';
import { formatMiB } from '#core/units';
import type { GpuDriver, GpuInstance } from '#ports/gpu-driver';
import type { AnswerExit, Context } from '../../command.js';
import { drawGpus, type DrawnGpu } from '../../draw/gpu.js';
import { shortName } from '#core/catalogue/short-name';
import { printJson } from '../../terminal/json.js';
import { printable, type Screen } from '../../terminal/screen.js';
import { tableOf } from '../../terminal/table.js';
import { follow, type Frame } from './follow.js';
import { withNode, type DriverFlags } from './open-node.js';
import { processesIn, processInWords, seeGpus, type SeenGpu } from './see-gpus.js';
import { everyMsOf } from './watch.js';

export interface ShowFlags extends DriverFlags {
  readonly watch?: string | true;
}

export async function showCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: ShowFlags,
): Promise<AnswerExit> {
  const { watch } = flags;
  await withNode(host, flags, async ({ driver, clock }) => {
    const look = async (): Promise<Frame> => {
      const seen = await seeGpus(driver);
      return {
        asJson: () => asJson({ driver: driver.kind, seen }),
        describe: (on) => describeGpus(on, seen),
      };
    };
    if (watch !== undefined) return follow(host, json, { clock, everyMs: everyMsOf(watch) }, look);
    const looked = await look();
    if (json) printJson(screen, looked.asJson());
    else screen.print(looked.describe(screen));
  });
  return 0;
}

interface Looked {
  readonly driver: GpuDriver['kind'];
  readonly seen: readonly SeenGpu[];
}

function describeGpus(screen: Screen, seen: readonly SeenGpu[]): string {
  if (seen.length === 0) return 'this machine has no NVIDIA GPU that the driver lists';
  const rows = seen.flatMap(rowsOf);
  const columns = [{ head: 'GPU' }, { head: 'SLICE' }, { head: 'MEMORY' }, { head: 'WHO' }];
  return [
    drawGpus(seen.map(drawnGpu), screen.columns),
    ...(rows.length === 0 ? [] : [tableOf(screen, columns, rows)]),
    ...seen.flatMap(remarksOf),
  ].join('\n\n');
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

function asJson({ driver, seen }: Looked): object {
  return { driver, gpus: seen.map(gpuAsJson) };
}

function gpuAsJson(gpu: SeenGpu): object {
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
