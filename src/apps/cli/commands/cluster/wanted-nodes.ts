/** What the GPUs of which nodes shall carry, as a plan or Layout documents say it. */
import { nameOf, readText } from '#adapters/files/read-text';
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { GpuCut } from '#core/cluster/operator/mig-config';
import { defaultPrices } from '#core/cost/default-prices';
import { MicaError } from '#core/errors';
import type { WantedNode } from '#engines/cluster/options';
import { readInputs } from '../../documents/inputs.js';
import { readPlanFile } from '../../documents/plan-file.js';
import { failureOf } from '../../documents/problem.js';

export interface NodeWishFlags {
  readonly file?: readonly string[];
  readonly plan?: string;
  readonly node?: readonly string[];
}

interface GpuWish {
  readonly node: string;
  readonly index: number;
  readonly model: string | null;
  readonly cut: GpuCut;
}

/** A plan of a few thousand GPUs. */
const longestPlanBytes = 16 * 2 ** 20;

export async function wantedNodes({
  file = [],
  plan,
  node: named,
}: NodeWishFlags): Promise<readonly WantedNode[]> {
  if (plan !== undefined && file.length > 0)
    throw new MicaError('bad-usage', '--plan stands alone, without -f');
  if (plan === undefined && file.length === 0) {
    throw new MicaError('bad-usage', 'nothing says what the GPUs shall be', {
      next: 'Give a Layout document with -f, or a plan with --plan.',
    });
  }
  const wishes = plan === undefined ? await fromLayouts(file) : await fromPlan(plan);
  const nodes = [...new Set(wishes.map(({ node }) => node))];
  const absent = named?.find((name) => !nodes.includes(name));
  if (absent !== undefined) {
    const listed = nodes.length === 0 ? 'no node at all' : nodes.slice(0, 5).join(', ');
    throw new MicaError('bad-document', `nothing is said about node ${absent}, but about ${listed}`, {
      next: 'Name a node of the plan or the documents with --node, or leave --node out.',
    });
  }
  return nodes
    .filter((name) => named?.includes(name) ?? true)
    .map((name) => {
      const own = wishes.filter(({ node }) => node === name);
      return {
        node: name,
        cut: new Map(own.map(({ index, cut }) => [index, cut])),
        models: new Map(own.flatMap(({ index, model }) => (model === null ? [] : [[index, model] as const]))),
      };
    });
}

async function fromPlan(path: string): Promise<readonly GpuWish[]> {
  const checked = readPlanFile(await readText(path, longestPlanBytes), nameOf(path));
  if (!checked.ok) throw failureOf(checked.problems);
  return checked.value.map(({ node, index, model, mig, placements }) => ({
    node,
    index,
    model,
    cut: mig ? cutInto(placements) : { mig: false },
  }));
}

async function fromLayouts(files: readonly string[]): Promise<readonly GpuWish[]> {
  const { layouts } = await readInputs(files, defaultPrices);
  if (layouts.length === 0) throw new MicaError('bad-document', 'the files hold no Layout document');
  return layouts.map(({ node, index, asks }) => ({
    node,
    index,
    model: null,
    cut: cutInto(asks),
  }));
}

/** mig-parted chooses the places itself. */
function cutInto(asks: readonly { readonly profile: string }[]): GpuCut {
  const counts: Record<string, number> = {};
  for (const { profile } of asks) {
    const name = asNvidiaSpells(profile);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return { mig: true, counts };
}
