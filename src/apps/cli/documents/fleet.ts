/** Fleet documents -> one fleet, with every model, profile and machine type looked up. */
import { findModel } from '#core/catalogue/find-model';
import { findProfile } from '#core/catalogue/find-profile';
import type { GpuModel, MigModel } from '#core/catalogue/model';
import type { PriceTable } from '#core/cost/price-table';
import { checkLayout } from '#core/geometry/check';
import type { ExistingSlice, Fleet, FleetNode } from '#core/plan/documents';
import { didYouMean } from '../did-you-mean.js';
import type { Checked } from './check-shape.js';
import type { Problem } from './problem.js';
import { duplicates, problemAt } from './references.js';
import type { DocumentOf } from './read-documents.js';

type FleetDocument = DocumentOf<'Fleet'>;
type NodeSpec = FleetDocument['spec']['nodes'][number];
type SliceSpec = NonNullable<NodeSpec['layouts']>[number][number];

/** `prices` tells which machine types there are to rent. */
export function fleetOf(documents: readonly FleetDocument[], prices: PriceTable): Checked<Fleet> {
  const problems: Problem[] = [
    ...duplicates(documents, ({ nodes }) => ({
      key: 'nodes',
      names: nodes.map(({ name }) => name),
      what: 'name',
    })),
    ...duplicates(documents, ({ rent }) => ({
      key: 'rent',
      names: rent.map(({ machineType }) => machineType),
      what: 'machineType',
    })),
  ];
  const machineTypes = prices.map(({ machineType }) => machineType);
  const fleet = documents.map((document): Fleet => {
    const nodes = document.spec.nodes.flatMap((spec, index): readonly FleetNode[] => {
      const node = nodeOf(spec, (path, message) =>
        problems.push(problemAt(document, ['spec', 'nodes', index, ...path], message)),
      );
      return node === undefined ? [] : [node];
    });
    for (const [index, { machineType }] of document.spec.rent.entries()) {
      if (machineTypes.includes(machineType)) continue;
      const hint =
        didYouMean(machineType, machineTypes) || '; state it with model and gpus in a Prices document';
      const message = `no machine type '${machineType}' is known${hint}`;
      problems.push(problemAt(document, ['spec', 'rent', index, 'machineType'], message));
    }
    return {
      nodes,
      rent: document.spec.rent.map(({ machineType, max }) => ({ machineType, ...optional({ max }) })),
    };
  });
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: { nodes: fleet.flatMap(({ nodes }) => nodes), rent: fleet.flatMap(({ rent }) => rent) },
  };
}

type Complain = (path: readonly PropertyKey[], message: string) => void;

/** Undefined where the model is not known: nothing else can be said of such a node. */
function nodeOf(
  { name, model, gpus, usdPerHour, layouts }: NodeSpec,
  complain: Complain,
): FleetNode | undefined {
  const found = findModel(model);
  if (!found.ok) {
    complain(['model'], found.why.message);
    return undefined;
  }
  if (layouts !== undefined && layouts.length > gpus) {
    complain(['layouts'], `has ${layouts.length} entries for ${gpus} GPUs: one list per GPU, in their order`);
  }
  const cut = layouts?.map((slices, index) => ({
    index,
    slices: slicesOf(slices, found.model, (path, message) => complain(['layouts', index, ...path], message)),
  }));
  return {
    name,
    model: found.model.key,
    gpus,
    ...optional({ usdPerHour, layouts: cut }),
  };
}

function slicesOf(
  specs: readonly SliceSpec[],
  model: GpuModel,
  complain: Complain,
): readonly ExistingSlice[] {
  if (specs.length === 0) return [];
  if (model.kind !== 'mig') {
    complain([], `${model.name} cannot hold slices that Mica knows`);
    return [];
  }
  const slices = specs.flatMap((spec, index) => {
    const slice = sliceOf(spec, model, (path, message) => complain([index, ...path], message));
    return slice === undefined ? [] : [slice];
  });
  if (slices.length < specs.length) return [];
  const together = checkLayout(model, [], slices);
  if (!together.ok) complain([], together.why.message);
  return slices;
}

function sliceOf(
  { profile, start, size, busy }: SliceSpec,
  model: MigModel,
  complain: Complain,
): ExistingSlice | undefined {
  const found = findProfile(model, profile);
  if (!found.ok) {
    complain(['profile'], found.why.message);
    return undefined;
  }
  const { name, sizeUnits } = found.profile;
  if (size !== undefined && size !== sizeUnits)
    complain(['size'], `${name} is ${sizeUnits} units long, not ${size}`);
  return { profile: name, start, size: sizeUnits, busy };
}

/** Without the keys that have no value: a key that is there means something. */
function optional<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
