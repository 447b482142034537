/** What each node is labelled with, and the commands that do it: a merge patch touches these keys and no other. */
import type { EmittedFile, EmitOptions } from '../emission.js';
import { modelLabel, NameBook } from '../kubernetes-names.js';
import { migModelOf, type PlanNode } from '../plan-nodes.js';
import { oneLine, shellLine, shellQuote } from '../shell-text.js';
import { sharingName, type NodeSharing } from './sharing.js';

export const configLabel = 'nvidia.com/mig.config';
export const stateLabel = 'nvidia.com/mig.config.state';
const pluginLabel = 'nvidia.com/device-plugin.config';

export interface NodeLabels {
  readonly node: PlanNode;
  readonly labels: Readonly<Record<string, string>>;
}

export function labelsOf(
  node: PlanNode,
  config: string | undefined,
  sharing: NodeSharing,
  anyShared: boolean,
  options: EmitOptions,
): NodeLabels {
  const model = node.gpus[0]?.model ?? '';
  const canMig = migModelOf(model, options) !== undefined;
  return {
    node,
    labels: {
      [modelLabel]: model,
      ...(canMig && config !== undefined && { [configLabel]: config }),
      ...(anyShared && { [pluginLabel]: sharingName(sharing) }),
    },
  };
}

/** A patch per node, the commands as argument arrays, and the same as a script that maps plan names to cluster names. */
export function labelFiles(all: readonly NodeLabels[]): readonly EmittedFile[] {
  const fileNames = new NameBook();
  const patches = all.map(({ node, labels }) => {
    const path = `node-labels/${fileNames.take(node.name)}.json`;
    const command = ['kubectl', 'patch', 'node', node.name, '--type=merge', `--patch-file=${path}`];
    return { node, path, command, content: json({ metadata: { labels } }) };
  });
  const rented = patches.filter(({ node }) => node.machineType !== null);
  const calls = [
    ...rented.map(({ node }) => shellLine(['must_be_named', node.name])),
    ...patches.map(({ node, path }) => shellLine(['label', node.name, path])),
  ];
  return [
    ...patches.map(({ path, content }) => ({ path, content })),
    { path: 'label-nodes.json', content: json(patches.map(({ command }) => command)) },
    {
      path: 'label-nodes.sh',
      content: script(
        calls,
        rented.map(({ node }) => node.name),
      ),
      mode: 0o755,
    },
  ];
}

function script(calls: readonly string[], rented: readonly string[]): string {
  const usage = rented.slice(0, 2).map((name) => ` ${shellQuote(`${name}=CLUSTER-NODE`)}`);
  return `\
#!/usr/bin/env bash
# Labels the nodes of a Mica plan: mig-manager then cuts their GPUs. Read README.md first: a node must be cordoned and
# free of GPU pods before its label changes.
# Usage: bash label-nodes.sh [PLAN-NODE=CLUSTER-NODE]...
# A rented node has no name before it is there, so each one needs such an argument${oneLine(usage.length === 0 ? '' : `:${usage.join('')}`)}
set -euo pipefail
cd "$(dirname "$0")"

declare -A cluster_name
for pair in "$@"; do
  cluster_name["\${pair%%=*}"]=\${pair#*=}
done

must_be_named() {
  if [[ -z \${cluster_name["$1"]:-} ]]; then
    printf 'error: no cluster node is named for %s\\n  next: add %s=CLUSTER-NODE\\n' "$1" "$1" >&2
    exit 2
  fi
}

# label PLAN-NODE PATCH-FILE
label() {
  kubectl patch node "\${cluster_name["$1"]:-$1}" --type=merge --patch-file="$2"
}

${calls.join('\n')}
`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
