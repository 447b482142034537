/** What each GPU of this machine shall be, as the user's files say it: Layout documents, a plan, a mig-parted file. */
import { hostname } from 'node:os';
import { nameOf, readText } from '#adapters/files/read-text';
import { defaultPrices } from '#core/cost/default-prices';
import { MicaError } from '#core/errors';
import type { Ask } from '#core/geometry/check';
import type { Checked } from '../../documents/check-shape.js';
import { readInputs } from '../../documents/inputs.js';
import { readMigParted, type MigPartedEntry, type MigPartedFile } from '../../documents/mig-parted.js';
import { readPlanFile } from '../../documents/plan-file.js';
import { failureOf } from '../../documents/problem.js';
import type { SeenGpu } from './see-gpus.js';

export interface WishFlags {
  readonly file?: readonly string[];
  readonly config?: string;
  readonly plan?: string;
  readonly node?: string;
}

export interface GpuWish {
  readonly index: number;
  /** `null`: the whole card, MIG off. */
  readonly asks: readonly Ask[] | null;
  /** The model that it was planned for. */
  readonly model?: string;
}

export interface Wishes {
  readonly gpus: readonly GpuWish[];
  readonly notes: readonly string[];
}

/** Throws MicaError where the files are wrong, or say nothing about this machine. */
export async function wishesFrom(flags: WishFlags, seen: readonly SeenGpu[]): Promise<Wishes> {
  const { file = [], config, plan } = flags;
  if (plan !== undefined) {
    if (file.length > 0 || config !== undefined) {
      throw new MicaError('bad-usage', '--plan stands alone, without -f and -c');
    }
    return { gpus: await fromPlan(plan, flags), notes: [] };
  }
  const [first, second] = file;
  if (first === undefined) {
    throw new MicaError('bad-usage', 'nothing says what the GPUs shall be', {
      next: 'Give a Layout document with -f, a mig-parted file with -f and -c, or a plan with --plan.',
    });
  }
  if (config === undefined) return fromLayouts(file, flags);
  if (second !== undefined)
    throw new MicaError('bad-usage', '-c names a configuration of one file; give one -f');
  return { gpus: await fromMigParted(first, config, seen), notes: [] };
}

async function fromPlan(path: string, { node = hostname() }: WishFlags): Promise<readonly GpuWish[]> {
  const text = await readText(path, longestPlanBytes);
  const layouts = valueOf(readPlanFile(text, nameOf(path)));
  const mine = layouts.filter((layout) => layout.node === node);
  if (mine.length === 0) throw noSuchNode(nameOf(path), node, layouts);
  return mine.map(({ index, model, mig, placements }) => ({ index, model, asks: mig ? placements : null }));
}

/** A plan of a few thousand GPUs. */
const longestPlanBytes = 16 * 2 ** 20;

/** The host name decides where several machines are stated; a file about one machine is about this one. */
async function fromLayouts(files: readonly string[], { node }: WishFlags): Promise<Wishes> {
  if (files.length === 1 && files[0] !== '-') await refuseMigParted(files[0] ?? '');
  const { layouts } = await readInputs(files, defaultPrices);
  if (layouts.length === 0) throw new MicaError('bad-document', 'the files hold no Layout document');
  const nodes = new Set(layouts.map((layout) => layout.node));
  const [only] = nodes;
  const here = node ?? (nodes.size === 1 ? only : undefined) ?? hostname();
  const mine = layouts.filter((layout) => layout.node === here);
  if (mine.length === 0) throw noSuchNode('the files', here, layouts);
  const isNamed = node !== undefined || here === hostname();
  return {
    gpus: mine.map(({ index, asks }) => ({ index, asks })),
    notes: isNamed ? [] : [`the layout of ${here} is taken for this machine; --node says so`],
  };
}

function noSuchNode(what: string, node: string, layouts: readonly { readonly node: string }[]): MicaError {
  const names = [...new Set(layouts.map((layout) => layout.node))];
  const listed = names.length === 0 ? 'no machine at all' : names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return new MicaError('bad-document', `${what} say nothing about ${node}, but about ${listed}${more}`, {
    next: 'Say which of them this machine is with --node NAME.',
  });
}

async function fromMigParted(
  path: string,
  config: string,
  seen: readonly SeenGpu[],
): Promise<readonly GpuWish[]> {
  const configs = valueOf(await migPartedIn(path));
  const entries = configs.get(config);
  if (entries === undefined) throw noSuchConfig(nameOf(path), config, configs);
  const wishes = new Map<number, GpuWish>();
  const there = new Set(seen.map(({ info }) => info.index));
  for (const entry of entries) {
    const indexes = entry.devices === 'all' ? there : new Set(entry.devices);
    for (const index of indexes) {
      const gpu = seen.find(({ info }) => info.index === index);
      // Where a filter says which cards are meant, an index is for those of them that are there.
      if (gpu === undefined && entry.deviceFilter !== undefined) continue;
      if (gpu !== undefined && !isMeant(entry, gpu)) continue;
      const wish = wishOf(index, entry);
      const before = wishes.get(index);
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(wish)) {
        throw new MicaError(
          'bad-document',
          `${nameOf(path)}: two entries of ${config} differ about GPU ${index}`,
        );
      }
      wishes.set(index, wish);
    }
  }
  if (wishes.size === 0) {
    const cards = [...new Set(seen.map(({ info }) => `${info.name} (${filterOf(info.pciDeviceId)})`))];
    throw new MicaError(
      'bad-document',
      `${nameOf(path)}: no entry of ${config} is about a GPU of this machine: ${cards.join(', ') || 'it has none'}`,
      { next: 'Name another configuration with -c, or mend the device filters.' },
    );
  }
  return [...wishes.values()].sort((a, b) => a.index - b.index);
}

function wishOf(index: number, { migEnabled, counts }: MigPartedEntry): GpuWish {
  if (!migEnabled) return { index, asks: null };
  const asks = Object.entries(counts).flatMap(([profile, count]) =>
    Array.from({ length: Math.min(count, mostAsks) }, () => ({ profile })),
  );
  return { index, asks };
}

/** No card has that many instances, so a larger count is refused all the same. */
const mostAsks = 64;

function isMeant({ deviceFilter }: MigPartedEntry, { info }: SeenGpu): boolean {
  const id = filterOf(info.pciDeviceId);
  return deviceFilter?.some((filter) => filter.toUpperCase() === id.toUpperCase()) ?? true;
}

/** Device id, then NVIDIA's vendor id, as mig-parted writes them. */
export function filterOf(pciDeviceId: string): string {
  return `0x${pciDeviceId}10DE`;
}

function noSuchConfig(file: string, config: string, configs: MigPartedFile): MicaError {
  const names = [...configs.keys()];
  const more = names.length > 10 ? ` and ${names.length - 10} more` : '';
  return new MicaError(
    'bad-document',
    `${file} has no configuration '${config}', but ${names.slice(0, 10).join(', ') || 'none at all'}${more}`,
  );
}

/** Who forgot `-c` is told so, instead of that a document begins otherwise. */
async function refuseMigParted(path: string): Promise<void> {
  const read = await migPartedIn(path);
  if (!read.ok || read.value.size === 0) return;
  throw new MicaError('bad-usage', `${nameOf(path)} is a mig-parted file: say which configuration with -c`, {
    next: `Name one with -c, e.g. -c ${[...read.value.keys()][0] ?? ''}.`,
  });
}

async function migPartedIn(path: string): Promise<Checked<MigPartedFile>> {
  return readMigParted(await readText(path, longestPlanBytes), nameOf(path));
}

function valueOf<T>(checked: Checked<T>): T {
  if (!checked.ok) throw failureOf(checked.problems);
  return checked.value;
}
