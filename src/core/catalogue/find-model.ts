/** The GPU model that a name means, whatever tongue the name is in; and when none or several, which to try. */
import { models } from './catalogue.js';
import { closest } from './edit-distance.js';
import { findMachineType, isFractional, machineTypes, type MachineType } from './machine-types.js';
import type { GpuModel } from './model.js';
import { quoted } from './quoted.js';

export type MatchedBy =
  | 'key'
  | 'alias'
  | 'product-name'
  | 'gfd-label'
  | 'pci-id'
  | 'gke-accelerator'
  | 'machine-type'
  /** The words asked for are some of the words of one key only: `b200` of `b200-180gb`. */
  | 'part-of-key';

export interface ModelRefusal {
  readonly kind: 'unknown-model' | 'ambiguous-model' | 'fractional-gpu';
  readonly message: string;
  /** Names to try: keys, or machine types where one was asked for. */
  readonly candidates: readonly string[];
}

export type ModelAnswer =
  | { readonly ok: true; readonly model: GpuModel; readonly matchedBy: MatchedBy }
  | { readonly ok: false; readonly why: ModelRefusal };

/**
 * The model that a name means, in whatever tongue: key, alias, product name, GFD label (its `-MIG-…` and `-SHARED`
 * endings dropped), PCI id, GKE accelerator type, cloud machine type, or enough words of the key. Case does not
 * matter. `h100` is the 80 GB SXM board; any other name that fits several models is refused with the list of them.
 */
export function findModel(query: string): ModelAnswer {
  const machine = findMachineType(query.trim());
  if (machine !== undefined && isFractional(machine)) return refuseFraction(machine);
  const name = slug(query);
  const match = lookUp(query.trim(), name) ?? lookUp(query.trim(), withoutVendor(name));
  if (match === undefined) return refuseUnknown(query, name);
  const [model, another] = match.found;
  if (model !== undefined && another === undefined) return { ok: true, model, matchedBy: match.by };
  const listed = match.found.map((one) => (match.by === 'pci-id' ? withSubsystem(one) : one.key)).join(', ');
  return refuse(
    'ambiguous-model',
    `${quoted(query)} fits several models: ${listed}`,
    match.found.map((one) => one.key),
  );
}

interface Match {
  readonly by: MatchedBy;
  readonly found: readonly GpuModel[];
}

/** The first way of naming under which any model answers. `name` is the slug of what was asked. */
function lookUp(asked: string, name: string): Match | undefined {
  if (name === '') return undefined;
  const label = name.replace(/-shared$/, '').replace(/-mig-(\dg\..*|invalid)$/, '');
  const pciId = pciDeviceId(asked);
  const machine = findMachineType(name);
  const ways: readonly [MatchedBy, (model: GpuModel) => boolean][] = [
    ['key', (model) => model.key === name],
    ['alias', (model) => model.aliases.includes(name)],
    ['product-name', hasProduct((product) => product.toLowerCase() === asked.toLowerCase())],
    ['gfd-label', hasProduct((product) => slug(product) === label)],
    ['pci-id', (model) => pciId !== undefined && model.pciDeviceIds.includes(pciId)],
    ['gke-accelerator', (model) => model.gkeAccelerators.includes(name)],
    ['machine-type', (model) => model.key === machine?.model],
    ['part-of-key', (model) => isPartOf(name, model.key)],
    // Old drivers leave the vendor out.
    ['product-name', hasProduct((product) => withoutVendor(slug(product)) === label)],
  ];
  for (const [by, fits] of ways) {
    const found = models().filter(fits);
    if (found.length > 0) return { by, found };
  }
  return undefined;
}

function hasProduct(fits: (product: string) => boolean): (model: GpuModel) => boolean {
  return (model) => model.productNames.some(fits);
}

function withSubsystem(model: GpuModel): string {
  const ids = model.pciSubsystemIds;
  return ids === undefined ? model.key : `${model.key} (subsystem ${ids.join(', ')})`;
}

/** Lower case, one dash between words: how keys, GFD labels and Kubernetes values are spelled. */
function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-|-$/g, '');
}

function withoutVendor(name: string): string {
  return name.replace(/^(nvidia|tesla)-/, '');
}

/** `2BB5`, `0x2BB5`, `0x2BB510DE` as nvidia-smi prints it, `10de:2bb5` as lspci does. */
function pciDeviceId(text: string): string | undefined {
  const match =
    /^(?:0x)?([0-9a-f]{4})(?:10de)?$/i.exec(text) ?? /^(?:0x)?10de:(?:0x)?([0-9a-f]{4})$/i.exec(text);
  return match?.[1]?.toUpperCase();
}

/** The first word is the chip's, so it must be there: `24gb` alone names nothing. */
function isPartOf(name: string, key: string): boolean {
  const words = key.split('-');
  const asked = name.split('-');
  return asked[0] === words[0] && asked.every((word) => words.includes(word) || words.includes(`${word}gb`));
}

/** Names in Alibaba's GPU traces that hide which card it is. */
const hiddenName = /^(g[123]|gpu-series-\d+)$/;

function refuseUnknown(query: string, name: string): ModelAnswer {
  if (hiddenName.test(name)) {
    const message = `${quoted(query)} is a cover name in Alibaba's traces and the card behind it is not published`;
    return refuse('unknown-model', `${message}: name the model that you own`, []);
  }
  const candidates = suggestions(name);
  const hint = candidates.length === 0 ? '' : `; did you mean ${candidates.join(', ')}?`;
  return refuse('unknown-model', `no GPU model ${quoted(query)} is known${hint}`, candidates);
}

function suggestions(name: string): readonly string[] {
  const bare = withoutVendor(name);
  const containing = models().filter((model) => bare.length > 2 && model.key.includes(bare));
  if (containing.length > 0) return containing.map((model) => model.key).slice(0, 3);
  const meant = new Map<string, string>();
  for (const model of models()) {
    for (const product of model.productNames) meant.set(withoutVendor(slug(product)), model.key);
    for (const known of [model.key, ...model.aliases]) meant.set(known, model.key);
  }
  for (const machine of machineTypes) meant.set(machine.name, machine.name);
  return [...new Set(closest(bare, meant.keys()).map((known) => meant.get(known) ?? known))];
}

function refuseFraction(machine: MachineType): ModelAnswer {
  const whole = machineTypes.filter(
    (other) => other.model === machine.model && other.cloud === machine.cloud && !isFractional(other),
  );
  const [smallest] = [...whole].sort((a, b) => a.gpus - b.gpus);
  const message =
    `${machine.name} has 1/${1 / machine.gpus} of a GPU: a vGPU slice of ${machine.model} that the cloud has cut, ` +
    `which cannot be partitioned again`;
  const advice =
    smallest === undefined ? '' : `; the smallest machine type with a whole card is ${smallest.name}`;
  return refuse('fractional-gpu', message + advice, smallest === undefined ? [] : [smallest.name]);
}

function refuse(kind: ModelRefusal['kind'], message: string, candidates: readonly string[]): ModelAnswer {
  return { ok: false, why: { kind, message, candidates } };
}
