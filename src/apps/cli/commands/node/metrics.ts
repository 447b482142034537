/** `mica node metrics`: the slices of this machine for Prometheus, as text that node_exporter's textfile collector takes. */
import { gapsOf } from '../../draw/gpu.js';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { drawnGpu } from './show.js';
import { withNode, type DriverFlags } from './open-node.js';
import { processesIn, seeGpus, type SeenGpu } from './see-gpus.js';

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly samplesOf: (gpu: SeenGpu) => readonly Sample[];
}

export async function metricsCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: DriverFlags,
): Promise<AnswerExit> {
  const seen = await withNode(host, flags, ({ driver }) => seeGpus(driver));
  const read = families.map(({ name, help, samplesOf }) => ({
    name,
    help,
    samples: seen.flatMap(samplesOf),
  }));
  if (json) printJson(screen, { metrics: read });
  else screen.write(read.map(textOf).join(''));
  return 0;
}

const families: readonly Family[] = [
  {
    name: 'mica_gpu_info',
    help: 'A GPU of this machine.',
    samplesOf: ({ info, model }) => {
      const { name, driverVersion } = info;
      const labels = { ...gpuLabels(info), name, model: model?.key ?? '', driver_version: driverVersion };
      return [{ labels, value: 1 }];
    },
  },
  {
    name: 'mica_gpu_mig_enabled',
    help: 'Whether MIG is on; state="pending" is what it will be after a reset. Absent for cards without MIG.',
    samplesOf: ({ info }) =>
      info.mig === null
        ? []
        : (['current', 'pending'] as const).map((state) => ({
            labels: { ...gpuLabels(info), state },
            value: Number(info.mig?.[state] ?? false),
          })),
  },
  {
    name: 'mica_gpu_units',
    help: 'Placement units of a cut GPU: in slices that are used or free, open to new slices, or stranded.',
    samplesOf: unitsOf,
  },
  {
    name: 'mica_gpu_driver_troubles',
    help: 'How many questions about the GPU its driver refused; other figures are incomplete where it is not 0.',
    samplesOf: ({ info, troubles }) => [{ labels: gpuLabels(info), value: troubles.length }],
  },
  {
    name: 'mica_slice_in_use',
    help: 'A slice, and whether a process is in it.',
    samplesOf: (gpu) => ofSlices(gpu, ({ id }) => Number(processesIn(gpu, id).length > 0)),
  },
  {
    name: 'mica_slice_memory_used_bytes',
    help: 'Memory in use in a slice. Absent where the driver does not say.',
    samplesOf: (gpu) => ofSlices(gpu, ({ memory }) => bytes(memory?.usedMiB)),
  },
  {
    name: 'mica_slice_memory_total_bytes',
    help: 'Memory that a slice has. Absent where the driver does not say.',
    samplesOf: (gpu) => ofSlices(gpu, ({ memory }) => bytes(memory?.totalMiB)),
  },
  {
    name: 'mica_process_memory_used_bytes',
    help: 'GPU memory of a process; slice is empty where it is on the GPU outside all slices.',
    samplesOf: (gpu) =>
      gpu.processes.flatMap(({ pid, name, usedMiB, instanceId }) => {
        const instance = gpu.instances.find(({ id }) => id === instanceId);
        const slice =
          instance === undefined ? '' : `${instance.placement.profile}:${instance.placement.start}`;
        const labels = { ...gpuLabels(gpu.info), slice, pid: String(pid), process: name ?? '' };
        return usedMiB === null ? [] : [{ labels, value: usedMiB * 2 ** 20 }];
      }),
  },
];

function gpuLabels({ index, uuid }: SeenGpu['info']): { readonly gpu: string; readonly uuid: string } {
  return { gpu: String(index), uuid };
}

type Instance = SeenGpu['instances'][number];

function ofSlices(
  { info, instances }: SeenGpu,
  valueOf: (instance: Instance) => number | null,
): readonly Sample[] {
  return instances.flatMap((instance) => {
    const value = valueOf(instance);
    const { profile, start } = instance.placement;
    const device = instance.computeInstances[0]?.uuid ?? '';
    const labels = { ...gpuLabels(info), slice: `${profile}:${start}`, profile, mig_uuid: device };
    return value === null ? [] : [{ labels, value }];
  });
}

function unitsOf(gpu: SeenGpu): readonly Sample[] {
  const { card } = drawnGpu(gpu);
  if (card.kind === 'whole') return [];
  const sizeOf = (isFree: boolean): number =>
    card.slices
      .filter(({ user }) => (user === null) === isFree)
      .reduce((sum, { placement }) => sum + placement.size, 0);
  const { open, stranded } = gapsOf(card.model, card.slices);
  const states = { used: sizeOf(false), free: sizeOf(true), open: bitsIn(open), stranded: bitsIn(stranded) };
  return Object.entries(states).map(([state, value]) => ({
    labels: { ...gpuLabels(gpu.info), state },
    value,
  }));
}

function bitsIn(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}

function bytes(memoryMiB: number | undefined): number | null {
  return memoryMiB === undefined ? null : memoryMiB * 2 ** 20;
}

function textOf({ name, help, samples }: { name: string; help: string; samples: readonly Sample[] }): string {
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([key, label]) => `${key}="${escaped(label)}"`);
    return `${name}{${pairs.join(',')}} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

function escaped(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
