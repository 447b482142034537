/** Who made a pod, guessed from the pod's name: a last resort, where neither the API nor kube-state-metrics can say. */
import type { Owner } from './observation.js';

/** Kubernetes makes suffixes of these characters only, so that they spell no words. */
const random = '[bcdfghjklmnpqrstvwxz2456789]';

/** The first that fits wins. `web-0` and `train-x7k2p` could be of other kinds: a guess is named as one. */
const shapes: readonly { readonly kind: string; readonly of: RegExp }[] = [
  // The minute (formerly second) of its run since 1970.
  { kind: 'CronJob', of: new RegExp(`^(.+)-[123]\\d{7,}-${random}{5}$`) },
  { kind: 'Deployment', of: new RegExp(`^(.+)-${random}{6,10}-${random}{5}$`) },
  { kind: 'CronJob', of: new RegExp(`^(.+)-\\d{8,}-${random}{5}$`) },
  // A Job with completion indexes.
  { kind: 'Job', of: new RegExp(`^(.+)-\\d{1,6}-${random}{5}$`) },
  { kind: 'Job', of: new RegExp(`^(.+)-${random}{5}$`) },
  { kind: 'StatefulSet', of: /^(.+)-\d{1,5}$/ },
];

/** `null`: nothing can be told, so the pod stands for itself. */
export function ownerFromName(podName: string): Owner | null {
  for (const { kind, of } of shapes) {
    const name = of.exec(podName)?.[1];
    if (name !== undefined) return { kind, name, via: 'name' };
  }
  return null;
}
