/** Emits the file that nvidia-mig-parted applies, and which configuration of it belongs to which node. */
import { refuseToClear } from '../busy-slices.js';
import type { Emitter } from '../emission.js';
import { nodesOf } from '../plan-nodes.js';
import { yamlFile } from '../yaml-text.js';
import { migConfigsOf, migPartedFile, modelsWithoutId } from './config.js';

export const emitMigParted: Emitter = (plan, options) => {
  const found = nodesOf(plan, options);
  if (!found.ok) return found;
  const clearing = refuseToClear(plan, 'nvidia-mig-parted');
  if (clearing !== undefined) return clearing;
  const configs = migConfigsOf(found.nodes, options);
  const comment = [
    'The MIG configurations of a Mica plan, for nvidia-mig-parted (v1). On a node:',
    '  nvidia-mig-parted apply -f mig-parted.yaml -c CONFIG',
    ...configs.flatMap((config) => config.nodes.map((node) => `  ${node}: ${config.name}`)),
  ];
  const unknown = modelsWithoutId(found.nodes, options);
  const notes = [
    'nvidia-mig-parted clears a GPU and cuts it anew when it differs: no slice in use stays. It counts slices and chooses their places itself; the vm target keeps slices and places.',
    ...(configs.some(({ entries }) => entries.some((entry) => entry['device-filter'] !== undefined))
      ? ['Entries name their cards by PCI id: a card with another id is passed over without an error.']
      : []),
    ...(unknown.length > 0
      ? [`No PCI id is known for ${unknown.join(', ')}: its entries carry no device filter.`]
      : []),
  ];
  const files = [
    { path: 'mig-parted.yaml', content: yamlFile([{ comment, value: migPartedFile(configs) }]) },
  ];
  return { ok: true, files, notes };
};
