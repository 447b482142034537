/** The script of one node: a header that says what it does, the plan as bash data, and the fixed text that acts on it. */
import { asArgument, type Placement } from '#core/geometry/placement';
import type { PlannedGpu } from '#core/plan/plan';
import type { Step } from '#core/plan/steps';
import type { EmitOptions } from '../emission.js';
import { migModelOf, type Occupants, type PlanNode } from '../plan-nodes.js';
import { oneLine, shellQuote } from '../shell-text.js';
import { changing } from './text-changing.js';
import { checking } from './text-checking.js';
import { reading } from './text-reading.js';
import { running } from './text-running.js';

/** `steps`: those of the plan that concern the node. */
export function vmScript(
  node: PlanNode,
  steps: readonly Step[],
  occupants: Occupants,
  options: EmitOptions,
): string {
  return [
    header(node, occupants, options),
    data(node, steps, options),
    reading,
    checking,
    changing,
    running,
  ].join('\n');
}

function header(node: PlanNode, occupants: Occupants, options: EmitOptions): string {
  const lines = [
    `Cuts the GPUs of node ${node.name} into the slices of a Mica plan, then proves that they are there.`,
    '',
    ...node.gpus.flatMap((gpu) => {
      const name = options.modelOf(gpu.model)?.name ?? gpu.model;
      return [`GPU ${gpu.index}  ${name}`, ...gpuLines(gpu, occupants)];
    }),
    '',
    `Usage: bash SCRIPT [--dry-run]   (root, unless --dry-run, which prints the changes and makes none)`,
    'Nothing is changed before every check of every GPU has passed. A second run changes nothing.',
    'Positions are placement units of the card, as in `nvidia-smi mig -lgipp`.',
    'Exit: 0 done, 1 refused or failed (it says what, why and what next), 2 usage.',
  ];
  return ['#!/usr/bin/env bash', ...lines.map((line) => `# ${oneLine(line)}`.trimEnd()), ''].join('\n');
}

function gpuLines(gpu: PlannedGpu, occupants: Occupants): readonly string[] {
  const usersOf = (placement: Placement | null): string =>
    [...new Set(occupants(gpu.node, gpu.index, placement))].join(', ') || 'no need of the plan';
  if (!gpu.mig) return [`    whole card, MIG off: ${usersOf(null)}`];
  const busyStarts = new Set(gpu.busy?.map(({ start }) => start));
  return gpu.placements.map((placement) => {
    const user = busyStarts.has(placement.start) ? 'at work before the plan, stays' : usersOf(placement);
    return `    ${asArgument(placement)}: ${user}`;
  });
}

/** Per GPU index: what the card must be, what it becomes, and what of the present state may be undone. */
function data(node: PlanNode, steps: readonly Step[], options: EmitOptions): string {
  const lines = node.gpus.flatMap((gpu) => {
    const card = options.modelOf(gpu.model);
    // A card that stays whole may have any driver.
    const enable = gpu.mig ? migModelOf(gpu.model, options)?.migEnable : undefined;
    const mine = steps.filter((step) => step.index === gpu.index);
    const gone = mine.flatMap((step) => (step.kind === 'destroy' ? [asTriple(step.placement)] : []));
    const values = {
      card: card?.name ?? gpu.model,
      pci_ids: (card?.pciDeviceIds ?? []).join(' '),
      min_driver: enable?.minDriver ?? '',
      min_vbios: enable?.minVbios ?? '',
      needs_display_off: enable?.needsComputeDisplayMode === true ? 'yes' : 'no',
      resets: migModelOf(gpu.model, options)?.migEnable.resetToToggle === true ? 'yes' : 'no',
      want_mode: gpu.mig ? 'Enabled' : 'Disabled',
      may_disable: mine.some((step) => step.kind === 'disable-mig') ? 'yes' : 'no',
      wanted: largeFirst(gpu.placements).map(asTriple).join(' '),
      may_destroy: gone.join(' '),
    };
    return Object.entries(values).map(([key, value]) => `${key}[${gpu.index}]=${shellQuote(value)}`);
  });
  return [
    'set -euo pipefail',
    'export LC_ALL=C',
    '',
    '# The plan, by GPU index. Slices are PROFILE:START:SIZE, in the order in which they are made.',
    `gpus=(${node.gpus.map((gpu) => gpu.index).join(' ')})`,
    'declare -A card pci_ids min_driver min_vbios needs_display_off resets want_mode may_disable wanted may_destroy',
    ...lines,
    '',
  ].join('\n');
}

/** Small slices first could take the only place of a large one if a driver ever ignored the start. */
function largeFirst(placements: readonly Placement[]): readonly Placement[] {
  return [...placements].sort((a, b) => b.size - a.size || a.start - b.start);
}

function asTriple({ profile, start, size }: Placement): string {
  return `${profile}:${start}:${size}`;
}
