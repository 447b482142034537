/** What the caller wants of a change of nodes, and what it allows. */
import type { GpuHolders } from '#core/cluster/operator/disturbed';
import type { Limits } from '#core/cluster/operator/limits';
import type { NodeCut } from '#core/cluster/operator/mig-config';
import type { Room } from '#core/cluster/operator/room';
import type { ConfigPlace } from './config-book.js';

export interface WantedNode {
  readonly node: string;
  /** GPUs that are not named stay as they are. */
  readonly cut: NodeCut;
  /** Catalogue keys of the cards that it was planned for, by index. */
  readonly models?: ReadonlyMap<number, string>;
}

export interface NodeOptions extends ConfigPlace {
  readonly limits: Limits;
  /** How many nodes may be out of service at once; left out: nobody asks. */
  readonly room?: Room;
  /** Which GPUs pods hold, where that is known. */
  readonly holders: GpuHolders;
  readonly dryRun?: boolean;
  /** Pods that nobody would make again may be ended. */
  readonly mayEndBare?: boolean;
  /** mig-manager may reboot the node where MIG is switched (WITH_REBOOT). Default: yes. */
  readonly mayReboot?: boolean;
  /** Pods in the way are evicted; default: yes. */
  readonly mayEvict?: boolean;
  /** Who changes it, where it is not a person. */
  readonly by?: string;
  /**
   * `begin`: a change of its own and no other; `resume`: one that its like began, and none anew. Default: first whatever is
   * under way, then its own.
   */
  readonly only?: 'begin' | 'resume';
  /** Pods are waited for no longer than until then; what has begun to be cut is brought to its end all the same. */
  readonly deadlineMs?: number;
  readonly onProgress?: (node: string, says: string) => void;
  /** Stops between two calls; what is on the node says how to go on. */
  readonly signal?: AbortSignal;
}

export interface NodesOptions extends NodeOptions {
  readonly maxUnavailable: number;
  /** Nodes besides those wanted that count too, while they are cordoned or not ready. Those of a change count anyway. */
  readonly outOfService?: readonly string[];
  /** Each node for itself, instead of none after one that did not get there. */
  readonly keepGoing?: boolean;
  /** What is worth a word, and stops nothing. */
  readonly onNote?: (note: string) => void;
}
