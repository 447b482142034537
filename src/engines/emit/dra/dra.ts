/** Emits Kubernetes resource claims (DRA, resource.k8s.io/v1) for the slices of a plan, and the workloads that use them. */
import type { Assignment, Plan } from '#core/plan/plan';
import { deploymentsOf, type PlacedWorkload, type PodPlace } from '../deployments.js';
import type { EmitOptions, Emitter } from '../emission.js';
import { dotted, modelLabel, NameBook } from '../kubernetes-names.js';
import { grouped, nodesOf, occupantsOf } from '../plan-nodes.js';
import { sharingNotes, workloadsOf, type Ask, type Workload } from '../workloads.js';
import { yamlFile } from '../yaml-text.js';
import { claimTemplate, sharedClaim } from './claims.js';

export const emitDra: Emitter = (plan, options) => {
  const found = nodesOf(plan, options);
  if (!found.ok) return found;
  const { alone, sharedSlices } = partByPlace(plan);
  const single = workloadsOf({ ...plan, assignment: alone }, options);
  if (!single.ok) return single;
  const selector = modelSelector(plan);
  const names = new NameBook();
  const templates = new Map<string, { name: string; value: object }>();
  const placed: PlacedWorkload[] = single.workloads.map((workload) => {
    const { name } = templateFor(workload.ask, templates, names, options);
    return { workload, place: { ...selector.of(workload), claim: { resourceClaimTemplateName: name } } };
  });
  const claims: object[] = [];
  for (const assignment of sharedSlices) {
    const group = workloadsOf({ ...plan, assignment }, options);
    if (!group.ok) return group;
    const ask = group.workloads[0]?.ask;
    if (ask === undefined) continue;
    const name = names.take(`shared-${askName(ask)}`);
    claims.push(sharedClaim(name, options.namespace, ask));
    for (const workload of group.workloads) {
      placed.push({ workload, place: { ...selector.of(workload), claim: { resourceClaimName: name } } });
    }
  }
  const claimValues = [...[...templates.values()].map(({ value }) => value), ...claims];
  const files = [
    { path: 'claims.yaml', content: yamlFile(claimValues.map((value) => ({ value }))) },
    { path: 'workloads.yaml', content: yamlFile(deploymentsOf(placed, options)) },
  ].filter(({ content }) => content !== '');
  const notes = [
    "Needs Kubernetes 1.34 or newer and NVIDIA's DRA driver in place of the device plugin. Cut the cards first (emit vm or mig-parted), then restart the driver's kubelet plugin: it does not look again by itself.",
    ...selector.notes,
    ...sharingNotes(placed.map(({ workload }) => workload)),
  ];
  return { ok: true, files, notes };
};

/** Replicas with a place of their own, and the groups that share one slice, slice by slice. */
function partByPlace(plan: Plan): {
  readonly alone: readonly Assignment[];
  readonly sharedSlices: readonly (readonly Assignment[])[];
} {
  const occupants = occupantsOf(plan);
  const isShared = ({ node, index, placement }: Assignment): boolean =>
    placement !== null && occupants(node, index, placement).length > 1;
  const slices = grouped(plan.assignment.filter(isShared), ({ node, index, placement }) =>
    JSON.stringify([node, index, placement?.start]),
  );
  return { alone: plan.assignment.filter((one) => !isShared(one)), sharedSlices: [...slices.values()] };
}

function templateFor(
  ask: Ask,
  templates: Map<string, { name: string; value: object }>,
  names: NameBook,
  options: EmitOptions,
): { readonly name: string } {
  const key = JSON.stringify(ask);
  const known = templates.get(key);
  if (known !== undefined) return known;
  const name = names.take(askName(ask));
  const made = { name, value: claimTemplate(name, options.namespace, ask) };
  templates.set(key, made);
  return made;
}

function askName(ask: Ask): string {
  return ask.kind === 'whole' ? `gpu-x${ask.gpus}` : `mig-${dotted(ask.profile)}`;
}

/** A profile's name does not tell the card: where one name is on several cards of the plan, a node label must. */
function modelSelector(plan: Plan): {
  readonly of: (workload: Workload) => PodPlace;
  readonly notes: readonly string[];
} {
  const models = new Map<string, Set<string>>();
  for (const gpu of plan.layouts) {
    const things = gpu.mig ? gpu.placements.map((placement) => placement.profile) : ['whole cards'];
    for (const thing of things) models.set(thing, (models.get(thing) ?? new Set()).add(gpu.model));
  }
  const unclear = (thing: string): boolean => (models.get(thing)?.size ?? 0) > 1;
  const named = [...models.keys()].filter(unclear);
  return {
    of: ({ model, ask }) =>
      unclear(ask.kind === 'whole' ? 'whole cards' : ask.profile)
        ? { nodeSelector: { [modelLabel]: model } }
        : {},
    notes: named.map((thing) => {
      const cards = [...(models.get(thing) ?? [])].join(' and ');
      return `The plan has ${thing} on ${cards}. Tell them apart by a node label: kubectl label node NODE ${modelLabel}=MODEL.`;
    }),
  };
}
