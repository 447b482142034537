/** On whose behalf a desk acts, and what of the machine that is. */
import type { LeaseRecord, ProcessMark, RequestRecord } from '#ports/run-store';

export interface Caller {
  readonly holder: ProcessMark;
  /** A tenant sees and touches its own only; `null`: whoever runs the machine. */
  readonly tenant: string | null;
  /** Why a process group is not the holder's to bind; `null`: it is. */
  readonly whyForeign: (group: ProcessMark) => string | null;
}

type Owned = Pick<LeaseRecord | RequestRecord, 'id' | 'wish'>;

export function owns({ tenant }: Pick<Caller, 'tenant'>, { wish }: Pick<Owned, 'wish'>): boolean {
  return tenant === null || wish.tenant === tenant;
}

/** Every tenant has ids of its own, so that none can guess at, or get in the way of, those of another. */
export function storedId({ tenant }: Pick<Caller, 'tenant'>, id: string): string {
  return tenant === null ? id : `${tenant}.${id}`;
}

/** By the id that it is stored under, or the one that it was asked for with. What is not the caller's has no name. */
export function isNamed(caller: Pick<Caller, 'tenant'>, record: Owned, id: string): boolean {
  return owns(caller, record) && (record.id === id || record.id === storedId(caller, id));
}

export function isSameProcess(one: ProcessMark, other: ProcessMark): boolean {
  return one.pid === other.pid && one.startedAt === other.startedAt && one.bootId === other.bootId;
}
