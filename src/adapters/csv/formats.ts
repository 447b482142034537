/** What the rows of each kind of CSV say, and of whom. */
import { modelOfProduct } from '#core/observe/device-model';
import type { Collector } from '#core/observe/collector';
import type { Device, Holder } from '#core/observe/observation';
import type { CsvKind } from './header.js';
import type { RowFormat, SeriesOfRow } from './take-rows.js';

/** What all files of one audit know together. */
export interface Surroundings {
  readonly collector: Collector;
  /** Cards by UUID, from logs of GPUs: a log of processes names no card but by that. */
  readonly cards: Map<string, Pick<Device, 'gpuIndex' | 'productName' | 'model'>>;
  /** Who uses the cards is known from a log of processes. */
  readonly hasProcesses: boolean;
  /** GPUs whose rows could not be used since they are cut. */
  readonly cutGpus: Set<string>;
}

export function formatOf(kind: CsvKind, surroundings: Surroundings): RowFormat {
  switch (kind) {
    case 'workloads':
      return workloadRows(surroundings);
    case 'smi-gpus':
      return gpuRows(surroundings);
    case 'smi-processes':
      return processRows(surroundings);
  }
}

type Cell = (column: string) => string;

/** `[N/A]`, `[Not Supported]`, `[Unknown Error]`: brackets hold what is no value. */
const bracketed = /^(?:\[.*\]|N\/A|-)$/i;

function workloadRows({ collector }: Surroundings): RowFormat {
  return {
    keys: ['workload', 'namespace', 'pod', 'gpu', 'profile', 'host', 'gpu_uuid', 'gpu_index', 'gi_id'],
    figures: [
      { column: 'memory_mib', reading: 'memory', unit: null },
      { column: 'sm_activity', reading: 'sm-active', unit: null },
    ],
    ragged: null,
    absent: /^$/,
    series: (cell) => {
      const workload = cell('workload');
      if (workload === '') return 'it names no workload';
      const holder: Holder = {
        ...{ kind: 'named', workload, namespace: cell('namespace') || null, pod: cell('pod') || null },
      };
      return series(collector, workloadDevice(cell), holder);
    },
  };
}

function workloadDevice(cell: Cell): Device {
  const profile = cell('profile') || null;
  const instanceId = wholeNumber(cell('gi_id'));
  return {
    host: cell('host') || null,
    gpuUuid: cell('gpu_uuid') || null,
    gpuIndex: wholeNumber(cell('gpu_index')),
    ...product(cell('gpu')),
    slice: profile === null && instanceId === null ? null : { instanceId, profile },
  };
}

function gpuRows({ collector, cards, hasProcesses, cutGpus }: Surroundings): RowFormat {
  return {
    keys: ['index', 'uuid', 'name', 'mig.mode.current'],
    figures: [
      { column: 'memory.used', reading: 'memory', unit: 'MiB' },
      { column: 'utilization.gpu', reading: 'utilization-percent', unit: '%' },
    ],
    ragged: null,
    absent: bracketed,
    series: (cell) => {
      const uuid = cell('uuid') || null;
      const gpuIndex = wholeNumber(cell('index'));
      if (uuid === null && gpuIndex === null) return 'it names no GPU';
      const card = { gpuIndex, ...product(cell('name')) };
      if (uuid !== null) cards.set(uuid, card);
      const mode = cell('mig.mode.current').toLowerCase();
      const isCut = mode === 'enabled';
      if (!isCut && !['', 'disabled'].includes(mode) && !bracketed.test(mode)) return 'its MIG mode is none';
      if (isCut) cutGpus.add(gpuIndex === null ? uuid! : `gpu-${gpuIndex}`);
      const device = { host: null, gpuUuid: uuid, ...card, slice: null };
      return { ...series(collector, device, { kind: 'nobody' }), isSilent: isCut || hasProcesses };
    },
  };
}

function processRows({ collector, cards }: Surroundings): RowFormat {
  return {
    keys: ['gpu_uuid', 'pid', 'process_name', 'name'],
    figures: [{ column: 'used_gpu_memory', reading: 'memory', unit: 'MiB' }],
    ragged: 'process_name',
    absent: bracketed,
    series: (cell) => {
      const uuid = cell('gpu_uuid');
      const pid = wholeNumber(cell('pid'));
      if (uuid === '' || pid === null) return 'it names no process on a GPU';
      const known = cards.get(uuid) ?? { gpuIndex: null, ...product(cell('name')) };
      const device = { host: null, gpuUuid: uuid, ...known, slice: null };
      const name = cell('process_name');
      return series(collector, device, {
        kind: 'process',
        pid,
        name: name === '' || bracketed.test(name) ? `pid ${pid}` : name,
      });
    },
  };
}

function series(collector: Collector, device: Device, holder: Holder): SeriesOfRow {
  return { handle: collector.series(device, holder), isSilent: false };
}

function product(name: string): Pick<Device, 'productName' | 'model'> {
  const productName = name || null;
  return { productName, model: modelOfProduct(productName) };
}

function wholeNumber(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
