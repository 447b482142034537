/** The tables, as the steps that made them. A step that was released is never changed; what is new is a step more. */

/** Says in the file's header whose it is, so that somebody else's database is never written to. */
export const applicationId = 0x4d494341;

/** `user_version` counts the steps that a file has taken. Records are JSON: they are read and replaced whole. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE lease (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE request (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE quarantine (slice TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE usage (number INTEGER PRIMARY KEY, end_ms INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE INDEX usage_by_end ON usage (end_ms, number);
  CREATE TABLE batch (id TEXT PRIMARY KEY, started_ms INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE INDEX batch_by_start ON batch (started_ms);
  CREATE TABLE attempt (
    batch TEXT NOT NULL, job INTEGER NOT NULL, attempt INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (batch, job, attempt)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE duration (command TEXT PRIMARY KEY, ms REAL NOT NULL) STRICT;
  `,
  `CREATE TABLE tenant (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;`,
];
