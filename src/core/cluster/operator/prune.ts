/** Which of our configurations may go from the ConfigMap: it has an end, and every layout ever asked for would fill it. */
import { labels } from '../label-names.js';
import type { ClusterNode } from '../objects.js';
import { readRecord } from './record.js';

/** Names that `spelledName` makes, and no other. */
const ownName = /^mica-(all|\d+(\.\d+)*)-/;

export function isOwnConfig(name: string): boolean {
  return ownName.test(name);
}

/** Configurations that some node asks for, or will, or goes back to. */
export function configsInUse(nodes: readonly ClusterNode[]): ReadonlySet<string> {
  const used = new Set<string>();
  for (const { labels: of, annotations } of nodes) {
    const label = of[labels.migConfig];
    if (label !== undefined) used.add(label);
    const record = readRecord(annotations);
    if (record === null || record === 'unreadable') continue;
    used.add(record.goal.config);
    if (record.previous !== null) used.add(record.previous.config);
    if (record.labelBefore !== null) used.add(record.labelBefore);
  }
  return used;
}

/** In the order in which they were added: the oldest go first, until `most` of ours are left. */
export function configsToDrop(
  names: readonly string[],
  used: ReadonlySet<string>,
  most: number,
): readonly string[] {
  const own = names.filter(isOwnConfig);
  return own.filter((name) => !used.has(name)).slice(0, Math.max(0, own.length - most));
}
