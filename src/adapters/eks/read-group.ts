/** A managed node group as EKS tells it, read into the port's words. */
import type { Nodegroup } from '@aws-sdk/client-eks';
import { findMachineType } from '#core/catalogue/machine-types';
import { slicesFromLabel, slicesLabel } from '#core/clouds/eks/slices-label';
import type { PoolView } from '#ports/node-pools';

const states: Readonly<Record<string, PoolView['state']>> = {
  CREATING: 'making',
  ACTIVE: 'running',
  UPDATING: 'changing',
  DELETING: 'going',
};

export function viewOf(group: Nodegroup): PoolView {
  const name = group.nodegroupName ?? '';
  const machineType = group.instanceTypes?.[0] ?? null;
  const machine = machineType === null ? undefined : findMachineType(machineType);
  const { minSize, maxSize } = group.scalingConfig ?? {};
  const gpus = machine?.gpus ?? 0;
  const said = slicesFromLabel(group.labels?.[slicesLabel]);
  return {
    name,
    state: states[group.status ?? ''] ?? 'broken',
    message: healthOf(group),
    machineType,
    gpusPerNode: gpus,
    // Others may cut the GPUs of a group that Mica did not make.
    slices: said ?? (machine === undefined && machineType !== null ? [] : null),
    zones: [],
    nodes: group.scalingConfig?.desiredSize ?? null,
    scaling: { minNodes: minSize ?? 0, maxNodes: maxSize ?? 0 },
    labels: { ...group.labels, 'eks.amazonaws.com/nodegroup': name },
    nodeLabel: { key: 'eks.amazonaws.com/nodegroup', value: name },
  };
}

function healthOf({ health }: Nodegroup): string | null {
  const issues = (health?.issues ?? []).map(({ code, message }) => `${code ?? ''}: ${message ?? ''}`);
  return issues.length === 0 ? null : issues.join('; ');
}
