/** One GPU model on a screen: what it is, its profiles, where they may stand, what it costs, and who says so. */
import { machineTypes } from '#core/catalogue/machine-types';
import type { GpuModel, MigModel, ProfileOutline } from '#core/catalogue/model';
import { citation } from '#core/catalogue/sources';
import { defaultPrices } from '#core/cost/default-prices';
import type { MachinePrice } from '#core/cost/price-table';
import { placementOf } from '#core/geometry/placement';
import { formatMiB, formatUsd } from '#core/units';
import { drawGpus } from '../draw/gpu.js';
import type { Screen } from '../terminal/screen.js';
import { tableOf, type Column } from '../terminal/table.js';

export function describeModel(screen: Screen, model: GpuModel): string {
  const { bold } = screen.style;
  const sections = [
    `${bold(model.key)}  ${model.name}\n${factsOf(model)}`,
    model.kind === 'no-mig' ? 'No MIG: Mica counts the card as a whole.' : profileTable(screen, model),
    model.kind === 'mig' ? `${bold('Where each may stand')}\n${drawPlaces(screen, model)}` : '',
    rentals(screen, model),
    model.notes.length === 0 ? '' : `${bold('Notes')}\n${model.notes.map((note) => `  ${note}`).join('\n')}`,
    `${bold('Sources')}\n${sourcesOf(model)
      .map((source) => `  ${source}`)
      .join('\n')}`,
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

/** Machine types that carry the model, with their prices. */
export function machinesWith(model: GpuModel): readonly MachinePrice[] {
  return defaultPrices.filter((machine) => machine.model === model.key);
}

function factsOf(model: GpuModel): string {
  const known = (value: string | number | null | undefined): string => String(value ?? 'not known');
  const listed = (values: readonly string[]): string => (values.length === 0 ? '' : values.join(', '));
  const facts: (readonly [string, string])[] = [
    ['architecture', model.architecture],
    [
      'memory',
      model.memoryMiB === null ? known(model.memoryGB && `${model.memoryGB} GB`) : formatMiB(model.memoryMiB),
    ],
    ['SMs', known(model.sms)],
    ['also called', listed([...model.aliases, ...model.productNames])],
    ['PCI ids', listed(model.pciDeviceIds)],
  ];
  if (model.kind === 'mig') {
    facts.push([
      'slices',
      `${model.computeSlices} of compute, ${model.gridUnits} placement units, at most ${model.maxInstances} instances`,
    ]);
  }
  if (model.kind !== 'no-mig') {
    const { minDriver, minVbios, resetToToggle, needsComputeDisplayMode } = model.migEnable;
    facts.push([
      'to enable MIG',
      [
        `driver ${known(minDriver)} or newer`,
        ...(minVbios === null ? [] : [`vBIOS ${minVbios} or newer`]),
        ...(resetToToggle === true ? ['a GPU reset'] : []),
        ...(needsComputeDisplayMode === true ? ['display mode "compute"'] : []),
      ].join(', '),
    ]);
  }
  return facts
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `  ${name.padEnd(14)}${value}`)
    .join('\n');
}

const profileColumns: readonly Column[] = [
  { head: 'profile' },
  { head: 'id', align: 'right' },
  { head: 'usable', align: 'right' },
  { head: 'SMs', align: 'right' },
  { head: 'slices', align: 'right' },
  { head: 'units', align: 'right' },
  { head: 'starts' },
  { head: 'max', align: 'right' },
  { head: 'CE/DEC/ENC/JPEG/OFA' },
  { head: 'known' },
];

function profileTable(screen: Screen, model: Exclude<GpuModel, { kind: 'no-mig' }>): string {
  const rows =
    model.kind === 'mig'
      ? model.profiles.map((profile) =>
          rowOf(profile, String(profile.id), String(profile.sizeUnits), profile.starts.join(' ')),
        )
      : model.profiles.map((profile) => rowOf(profile, '?', '?', '?'));
  return tableOf(screen, profileColumns, rows);
}

function rowOf(profile: ProfileOutline, id: string, units: string, starts: string): readonly string[] {
  const { engines, derivedFields } = profile;
  const { copy, decoders, encoders, jpeg, ofa } = engines;
  return [
    profile.name,
    id,
    profile.memoryMiB === null ? '?' : formatMiB(profile.memoryMiBSeen?.[0] ?? profile.memoryMiB),
    String(profile.sms ?? '?'),
    String(profile.computeSlices),
    units,
    starts,
    String(profile.maxCount),
    [copy, decoders, encoders, jpeg, ofa].map((count) => count ?? '?').join('/'),
    profile.confidence + (derivedFields.length === 0 ? '' : `, but derived: ${derivedFields.join(' ')}`),
  ];
}

/** Plain profiles only: one with an attribute stands where its plain one does. */
function drawPlaces(screen: Screen, model: MigModel): string {
  const rows = model.profiles
    .filter(({ attribute }) => attribute === null)
    .map((profile) => ({
      label: profile.name,
      title: '',
      card: {
        kind: 'sliced' as const,
        model,
        slices: profile.starts.map((start) => ({ placement: placementOf(profile, start) })),
      },
    }));
  return drawGpus(rows, screen.columns);
}

function rentals(screen: Screen, model: GpuModel): string {
  const machines = machinesWith(model);
  if (machines.length === 0) return '';
  const clouds = new Map(machineTypes.map(({ name, cloud }) => [name, cloud]));
  const rows = machines.map(({ machineType, gpus, usdPerHour, estimate, region, asOf }) => [
    machineType,
    clouds.get(machineType) ?? '',
    gpus < 1 ? `1/${1 / gpus}` : String(gpus),
    usdPerHour === null ? 'not known' : `${formatUsd(usdPerHour)}/h`,
    estimate ? 'estimate' : [region, asOf].filter((part) => part !== null).join(', '),
  ]);
  const columns: readonly Column[] = [
    { head: 'machine type' },
    { head: 'cloud' },
    { head: 'GPUs', align: 'right' },
    { head: 'price', align: 'right' },
    { head: 'as of' },
  ];
  return tableOf(screen, columns, rows);
}

function sourcesOf(model: GpuModel): readonly string[] {
  const ofProfiles = model.kind === 'no-mig' ? [] : model.profiles.flatMap(({ sources }) => sources);
  return [...new Set([...model.sources, ...ofProfiles])].map(citation);
}
