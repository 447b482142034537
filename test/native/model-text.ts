/** The cards of a machine as the double reads them: one fact per line, from our own catalogue. */
import { modelByKey } from '#core/catalogue/catalogue';
import type { MigModel, Profile } from '#core/catalogue/model';
import { familyOf } from './default-order.js';

export interface CardOptions {
  /** How a change of the mode takes effect on an idle card. */
  readonly toggle: 'at-once' | 'after-reset' | 'by-own-reset' | 'after-reboot';
  /** Drivers of branch 535 list no profiles with MIG off. */
  readonly listsWithMigOff: boolean;
  readonly hasMig: boolean;
  readonly vbiosVersion: string;
}

const toggles = ['at-once', 'after-reset', 'by-own-reset', 'after-reboot'] as const;

export function machineText(
  cards: readonly ({ readonly key: string } & Partial<CardOptions>)[],
  driverVersion: string,
): string {
  const lines = [`driver ${driverVersion}`, ...cards.flatMap((card, index) => cardLines(card, index))];
  return lines.map((line) => `${line}\n`).join('');
}

export function uuidOf(index: number): string {
  return `GPU-${(0x5eed0000 + index).toString(16)}-d0b1-4e00-8000-${index.toString(16).padStart(12, '0')}`;
}

function cardLines(
  { key, ...options }: { readonly key: string } & Partial<CardOptions>,
  index: number,
): readonly string[] {
  const model = modelByKey(key);
  if (model?.kind !== 'mig') throw new Error(`the catalogue cannot cut a ${key}`);
  const { migEnable } = model;
  const toggle = options.toggle ?? (migEnable.resetToToggle === true ? 'after-reset' : 'at-once');
  const bus = `00000000:${(0x01 + index * 0x20).toString(16).toUpperCase().padStart(2, '0')}:00.0`;
  const facts = [
    uuidOf(index),
    bus,
    `${model.pciDeviceIds[0] ?? '0000'}10DE`,
    `${model.pciSubsystemIds?.[0] ?? syntheticSubsystem}10DE`,
    totalMiB(model),
    toggles.indexOf(toggle),
    migEnable.modePersistsReboot === true ? 1 : 0,
    (options.listsWithMigOff ?? true) ? 1 : 0,
    (options.hasMig ?? true) ? 1 : 0,
    options.vbiosVersion ?? '96.00.99.00.01',
  ];
  const family = familyOf(model);
  return [
    `gpu ${facts.join(' ')}`,
    `name ${model.productNames[0] ?? model.name}`,
    ...model.profiles.map((profile) => profileLine(model, profile, family.order(profile))),
    ...family.nodes.map(({ size, start, id }) => `node ${size} ${start} ${id}`),
  ];
}

function profileLine(model: MigModel, profile: Profile, order: readonly number[]): string {
  const { copy, decoders, encoders, jpeg, ofa } = profile.engines;
  const most = Math.max(...model.profiles.map(({ computeSlices }) => computeSlices));
  const figures = [
    profile.nvmlEnum,
    profile.id,
    profile.computeSlices,
    profile.sizeUnits,
    profile.maxCount,
    profile.memoryMiB ?? syntheticMiB(model, profile),
    profile.sms ?? profile.computeSlices * syntheticSmsPerSlice,
    copy ?? profile.computeSlices,
    decoders ?? profile.computeSlices,
    encoders ?? 0,
    jpeg ?? profile.computeSlices,
    ofa ?? (profile.computeSlices === most ? 1 : 0),
  ];
  return `profile ${figures.join(' ')} ${profile.name} ${order.join(',')}`;
}

/** Synthetic where nobody has published it, engines as one for each compute slice: it stays in the double and never reaches the catalogue. */
const syntheticSmsPerSlice = 16;
const syntheticSubsystem = '1234';

function totalMiB(model: MigModel): number {
  return model.memoryMiB ?? (model.memoryGB ?? 96) * 1024 - 512;
}

function syntheticMiB(model: MigModel, profile: Profile): number {
  return Math.floor((totalMiB(model) * profile.sizeUnits) / model.gridUnits) - 128;
}
