/** The rows of the store as the port names them, over the statements of one connection. */
import type Database from 'libsql';
import { MicaError } from '#core/errors';
import type {
  AttemptRecord,
  BatchRecord,
  LeaseRecord,
  QuarantineRecord,
  RequestRecord,
  RunTables,
  TenantRecord,
  UsageRecord,
} from '#ports/run-store';

/** Records are what this very program wrote, so that their form is taken as given; that they are JSON is not. */
export function tablesOf(database: Database.Database): RunTables {
  const statements = new Map<string, Database.Statement>();
  const prepared = (sql: string): Database.Statement => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const made = database.prepare(sql);
    statements.set(sql, made);
    return made;
  };
  const all = (sql: string, ...values: readonly unknown[]): readonly unknown[] =>
    (prepared(sql).all(...values) as readonly { readonly record: string }[]).map(({ record }) =>
      recordIn(record),
    );
  const run = (sql: string, ...values: readonly unknown[]): void => void prepared(sql).run(...values);
  return {
    leases: () => all('SELECT record FROM lease ORDER BY id') as readonly LeaseRecord[],
    putLease: (lease) => run('INSERT OR REPLACE INTO lease VALUES (?, ?)', lease.id, textOf(lease)),
    removeLease: (id) => run('DELETE FROM lease WHERE id = ?', id),
    requests: () => all('SELECT record FROM request ORDER BY id') as readonly RequestRecord[],
    putRequest: (request) => run('INSERT OR REPLACE INTO request VALUES (?, ?)', request.id, textOf(request)),
    removeRequest: (id) => run('DELETE FROM request WHERE id = ?', id),
    quarantined: () => all('SELECT record FROM quarantine ORDER BY slice') as readonly QuarantineRecord[],
    putQuarantine: (record) =>
      run('INSERT OR REPLACE INTO quarantine VALUES (?, ?)', record.slice, textOf(record)),
    removeQuarantine: (slice) => run('DELETE FROM quarantine WHERE slice = ?', slice),
    tenants: () => all('SELECT record FROM tenant ORDER BY name') as readonly TenantRecord[],
    putTenant: (tenant) => run('INSERT OR REPLACE INTO tenant VALUES (?, ?)', tenant.name, textOf(tenant)),
    removeTenant: (name) => run('DELETE FROM tenant WHERE name = ?', name),
    addUsage: (usage) =>
      run('INSERT INTO usage (end_ms, record) VALUES (?, ?)', Math.ceil(usage.endMs), textOf(usage)),
    usage: (sinceMs) =>
      all(
        'SELECT record FROM usage WHERE end_ms >= ? ORDER BY end_ms, number',
        Math.ceil(sinceMs),
      ) as readonly UsageRecord[],
    batch: (id) => (all('SELECT record FROM batch WHERE id = ?', id)[0] ?? null) as BatchRecord | null,
    batches: (most) =>
      all(
        'SELECT record FROM batch ORDER BY started_ms DESC, id DESC LIMIT ?',
        most,
      ) as readonly BatchRecord[],
    putBatch: (batch) =>
      run(
        'INSERT OR REPLACE INTO batch VALUES (?, ?, ?)',
        batch.id,
        Math.floor(batch.startedMs),
        textOf(batch),
      ),
    attempts: (batch) =>
      all(
        'SELECT record FROM attempt WHERE batch = ? ORDER BY job, attempt',
        batch,
      ) as readonly AttemptRecord[],
    putAttempt: (attempt) =>
      run(
        'INSERT OR REPLACE INTO attempt VALUES (?, ?, ?, ?)',
        attempt.batch,
        attempt.job,
        attempt.attempt,
        textOf(attempt),
      ),
    durationMs: (key) => {
      const rows = prepared('SELECT ms FROM duration WHERE command = ?').all(key);
      return (rows as readonly { readonly ms: number }[])[0]?.ms ?? null;
    },
    putDuration: (key, ms) => run('INSERT OR REPLACE INTO duration VALUES (?, ?)', key, ms),
  };
}

function textOf(record: object): string {
  return JSON.stringify(record);
}

function recordIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MicaError('damaged-state', 'the database of runs holds a record that is not JSON', {
      cause: error,
    });
  }
}
