/** What tenancy needs of the world. */
import type { Clock } from '#ports/clock';
import type { RunStore } from '#ports/run-store';
import type { Secrets } from '#ports/secrets';

export interface TenancyPorts {
  readonly store: RunStore;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly secrets: Secrets;
}

/** Why something about tenants cannot be done as it was asked for. */
export interface TenancyRefusal {
  readonly kind:
    | 'bad-name'
    | 'exists'
    | 'unknown-tenant'
    | 'unknown-token'
    | 'too-many'
    | 'bad-quota'
    | 'bad-place'
    | 'dedicated-elsewhere'
    | 'holds-leases'
    | 'bad-expiry';
  readonly message: string;
}

export interface Refused {
  readonly ok: false;
  readonly why: TenancyRefusal;
}

export function refused(kind: TenancyRefusal['kind'], message: string): Refused {
  return { ok: false, why: { kind, message } };
}
