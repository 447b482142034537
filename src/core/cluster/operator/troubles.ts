/** Why a change of a node did not come to its end, each with what to do about it. They are written on the node. */
import { unreachable } from '../../errors.js';

export type TroubleKind =
  | 'pods-stay'
  | 'pods-came'
  | 'label-taken'
  | 'uncordoned'
  | 'no-manager'
  | 'silent'
  | 'pending'
  | 'rebooting'
  | 'not-ready'
  | 'failed'
  | 'paused'
  | 'not-offered'
  | 'too-long'
  | 'blocked';

export interface Trouble {
  readonly kind: TroubleKind;
  readonly message: string;
  readonly next: string;
}

/** `detail`: the particulars, a sentence without its full stop. */
export function trouble(kind: TroubleKind, node: string, detail: string): Trouble {
  return { kind, message: detail, next: nextOf(kind, node) };
}

function nextOf(kind: TroubleKind, node: string): string {
  const again = 'then run `mica cluster apply` again';
  const log = `read the log of its mig-manager pod (kubectl -n gpu-operator logs -l app=nvidia-mig-manager)`;
  switch (kind) {
    case 'pods-stay':
      return `Loosen the PodDisruptionBudgets named, or end these pods, ${again}; --timeout gives them longer.`;
    case 'pods-came':
      return `Nothing is needed: it is tried again later. To let pods be evicted, say so in the MigPolicy (evictions: Allowed).`;
    case 'label-taken':
      return `Agree on who sets nvidia.com/mig.config on ${node}, ${again}; kubectl uncordon ${node} if it is as it shall be.`;
    case 'uncordoned':
      return `Keep ${node} cordoned while it changes, ${again}.`;
    case 'no-manager':
      return `Make mig-manager run on ${node} (label nvidia.com/gpu.deploy.mig-manager=true), ${again}.`;
    case 'silent':
    case 'pending':
      return `Look why mig-manager does nothing on ${node}: ${log}; ${again}.`;
    case 'rebooting':
    case 'not-ready':
      return `Look at the console of ${node} and restart or replace the machine; once it is Ready, ${again.slice(5)}.`;
    case 'failed':
      return `Read why: ${log}. "not found": the operator must use the ConfigMap that Mica writes (migManager.config.name); "in use": end what holds the GPU; ${again}.`;
    case 'paused':
      return `Set the nvidia.com/gpu.deploy.* labels of ${node} that say paused-for-mig-change to true, ${again}.`;
    case 'not-offered':
      return `See what the GPUs really hold (nvidia-smi -L on ${node}) and read the log of its device plugin; ${again}.`;
    case 'too-long':
      return `See what ${node} waits for (mica cluster show), ${again}.`;
    case 'blocked':
      return `Give Mica the permission named (deploy/ has the roles), ${again}.`;
    default:
      return unreachable(kind);
  }
}
