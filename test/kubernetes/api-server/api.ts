/** The parts of the API server that a request meets, put together. */
import { Budgets } from './budgets.js';
import type { CelRules } from './crd/definitions.js';
import { Deletion } from './deletion.js';
import type { SeenRequest } from './faults.js';
import type { User } from './rbac.js';
import { Registry } from './registry.js';
import { Resources } from './resources.js';
import { Store } from './store.js';
import { Watches } from './watch.js';

export interface ApiOptions {
  readonly now: () => Date;
  readonly celRules: CelRules;
  readonly bookmarkEveryMs: number;
  /** A watch may begin with the objects that are there (`sendInitialEvents`), as servers since 1.32 can. */
  readonly watchList: boolean;
}

export class Api {
  readonly store = new Store();
  readonly resources = new Resources();
  readonly options: ApiOptions;
  readonly registry: Registry;
  readonly deletion: Deletion;
  readonly budgets: Budgets;
  readonly watches: Watches;

  constructor(options: ApiOptions) {
    this.options = options;
    this.registry = new Registry(this.store, this.resources, options.now, options.celRules);
    this.deletion = new Deletion(this.registry);
    this.budgets = new Budgets(this.registry);
    this.watches = new Watches(this.store, options.bookmarkEveryMs);
  }
}

/** What is known of a request when it is carried out. */
export interface Call {
  readonly seen: SeenRequest;
  readonly user: User;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Buffer;
  readonly warnings: string[];
}

export interface Answer {
  readonly code: number;
  readonly object: unknown;
}
