/** The README beside the manifests: in which order they are applied, and how to tell that it worked. */
import { oneLine } from '../shell-text.js';
import type { NodeLabels } from './node-labels.js';
import { configLabel, stateLabel } from './node-labels.js';

export interface ReadmeFacts {
  readonly nodes: readonly NodeLabels[];
  readonly strategy: 'mixed' | 'single';
  readonly operatorNamespace: string;
  readonly shared: boolean;
  readonly cloud: boolean;
}

export function readme({ nodes, strategy, operatorNamespace, shared, cloud }: ReadmeFacts): string {
  const rows = nodes.map(
    ({ node, labels }) => `| ${cell(node.name)} | ${cell(labels[configLabel] ?? 'no MIG')} |`,
  );
  const plugin = shared ? ` -f device-plugin-config.yaml` : '';
  return `\
# A Mica plan for the NVIDIA GPU Operator

| node of the plan | configuration |
|---|---|
${rows.join('\n')}

## Once per cluster

1. \`kubectl apply -f mig-config.yaml${plugin}\`: the configurations that the nodes may have.
2. Upgrade the operator with \`helm-values.yaml\` (\`helm upgrade --reuse-values -f helm-values.yaml ...\`). The strategy is
   \`${strategy}\`, and it holds for every node of the cluster.

## Once per node, one node after the other

mig-manager neither cordons a node nor evicts its pods, and it clears a GPU before it cuts it. So:

1. \`kubectl cordon NODE\`
2. Evict every pod that holds a GPU: \`kubectl drain NODE --ignore-daemonsets --delete-emptydir-data\` is the blunt way.
   A refusal for a disruption budget (429) means: wait, try again.
3. \`bash label-nodes.sh [PLAN-NODE=CLUSTER-NODE]...\`, or \`kubectl patch\` with one file of \`node-labels/\`.
4. Wait: \`kubectl get node NODE -L ${stateLabel}\` goes \`pending\`, perhaps \`rebooting\`, then \`success\`.
5. Look at \`kubectl get node NODE -o jsonpath='{.status.allocatable}'\`: the slices are there, in the planned numbers.
6. \`kubectl uncordon NODE\`

When it says \`failed\`, or stays \`pending\` for long, keep the node cordoned and read the log of mig-manager on it
(\`kubectl -n ${operatorNamespace} logs -l app=nvidia-mig-manager\`). Setting the same label value again does nothing: set
\`all-disabled\` first, or delete that node's mig-manager pod.

Then \`kubectl apply -f workloads.yaml\`, after putting your images in.

## Worth knowing

- The configuration \`all-disabled\` must stay in the ConfigMap: the operator asks for it on nodes without a label.
- A name tells its content. A changed plan has new names, and that is what makes mig-manager act.
${cloudLines(cloud)}`;
}

function cloudLines(cloud: boolean): string {
  if (!cloud) return '';
  return `\
- On cloud machines a change of the MIG mode often needs a reboot; \`WITH_REBOOT\` in the values allows it.
- EKS nodes with drivers in the image (AL2023 NVIDIA): a mode change stops the kubelet, and nodes have been seen to stay
  NotReady afterwards (NVIDIA/gpu-operator issue 2415). Try one node first; the way around is to cut the GPUs in user
  data before the kubelet starts, with the vm or mig-parted output of the same plan.
- Scaling from zero: a pod can start on the uncut GPU of a new node (NVIDIA/gpu-operator issue 2670). Whole-card pods in
  \`workloads.yaml\` wait for the state \`success\`; taint new nodes for your other GPU pods.
`;
}

function cell(text: string): string {
  return oneLine(text)
    .replaceAll('|', String.raw`\|`)
    .replaceAll('`', "'");
}
