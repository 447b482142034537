/** A store in memory, which several holders of one process share: what they put is copied in and out. */
import type {
  AttemptRecord,
  BatchRecord,
  LeaseRecord,
  QuarantineRecord,
  RequestRecord,
  RunStore,
  RunTables,
  TenantRecord,
  UsageRecord,
} from '#ports/run-store';

interface Rows {
  leases: Map<string, LeaseRecord>;
  requests: Map<string, RequestRecord>;
  quarantined: Map<string, QuarantineRecord>;
  tenants: Map<string, TenantRecord>;
  usage: UsageRecord[];
  batches: Map<string, BatchRecord>;
  attempts: Map<string, AttemptRecord>;
  durations: Map<string, number>;
}

export function memoryRunStore(): RunStore {
  let rows: Rows = {
    leases: new Map(),
    requests: new Map(),
    quarantined: new Map(),
    tenants: new Map(),
    usage: [],
    batches: new Map(),
    attempts: new Map(),
    durations: new Map(),
  };
  const draft = (): Rows => ({
    leases: new Map(rows.leases),
    requests: new Map(rows.requests),
    quarantined: new Map(rows.quarantined),
    tenants: new Map(rows.tenants),
    usage: [...rows.usage],
    batches: new Map(rows.batches),
    attempts: new Map(rows.attempts),
    durations: new Map(rows.durations),
  });
  let isOpen = true;
  const begin = (): Rows => {
    if (!isOpen) throw new TypeError('the store is closed');
    return draft();
  };
  return {
    transact: async (work) => {
      const changed = begin();
      const answer = work(tablesOver(changed));
      rows = changed;
      return answer;
    },
    read: async (work) => work(tablesOver(begin())),
    close: async () => {
      isOpen = false;
    },
  };
}

function tablesOver(rows: Rows): RunTables {
  const copy = <T>(value: T): T => structuredClone(value);
  const byKey = <T>(map: Map<string, T>): readonly T[] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => copy(value));
  return {
    leases: () => byKey(rows.leases),
    putLease: (lease) => void rows.leases.set(lease.id, copy(lease)),
    removeLease: (id) => void rows.leases.delete(id),
    requests: () => byKey(rows.requests),
    putRequest: (request) => void rows.requests.set(request.id, copy(request)),
    removeRequest: (id) => void rows.requests.delete(id),
    quarantined: () => byKey(rows.quarantined),
    putQuarantine: (record) => void rows.quarantined.set(record.slice, copy(record)),
    removeQuarantine: (slice) => void rows.quarantined.delete(slice),
    tenants: () => byKey(rows.tenants),
    putTenant: (tenant) => void rows.tenants.set(tenant.name, copy(tenant)),
    removeTenant: (name) => void rows.tenants.delete(name),
    addUsage: (usage) => void rows.usage.push(copy(usage)),
    usage: (sinceMs) =>
      rows.usage
        .filter(({ endMs }) => endMs >= sinceMs)
        .sort((a, b) => a.endMs - b.endMs)
        .map(copy),
    batch: (id) => copy(rows.batches.get(id) ?? null),
    batches: (most) =>
      [...rows.batches.values()]
        .sort((a, b) => b.startedMs - a.startedMs || (a.id < b.id ? 1 : -1))
        .slice(0, most)
        .map(copy),
    putBatch: (batch) => void rows.batches.set(batch.id, copy(batch)),
    attempts: (batch) =>
      [...rows.attempts.values()]
        .filter((one) => one.batch === batch)
        .sort((a, b) => a.job - b.job || a.attempt - b.attempt)
        .map(copy),
    putAttempt: (one) => void rows.attempts.set(`${one.batch}/${one.job}/${one.attempt}`, copy(one)),
    durationMs: (key) => rows.durations.get(key) ?? null,
    putDuration: (key, ms) => void rows.durations.set(key, ms),
  };
}
