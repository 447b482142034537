/** The controller: one of several equal processes leads, and that one keeps the cluster's slices as its policies say. */
import { lead } from './lead.js';
import { reconcile } from './reconcile.js';
import type { ControllerOptions } from './options.js';
import type { ReconcilePorts } from './ports.js';

/** Ends when `options.signal` aborts, with the lease given back. What it was at, the next leader goes on with. */
export function runController(ports: ReconcilePorts, options: ControllerOptions): Promise<void> {
  const { onNews, signal } = options;
  return lead(ports.lease, ports.clock, { onNews, signal }, (leading) => reconcile(ports, options, leading));
}
