/** What whoever starts the controller says about it. */
import type { Limits } from '#core/cluster/operator/limits';
import type { ConfigPlace } from '../cluster/config-book.js';
import type { News } from './news.js';

export interface ControllerOptions extends ConfigPlace {
  readonly limits: Limits;
  /** mig-manager may reboot nodes where MIG is switched. */
  readonly mayReboot: boolean;
  /** Every policy as if it said `Recommend`, and nothing is written. */
  readonly dryRun: boolean;
  readonly onNews: (news: News) => void;
  /** Ends it: what it is at is left so that the next one goes on. */
  readonly signal: AbortSignal;
}
