import { join } from 'node:path';
import Database from 'libsql';
import { expect, it, onTestFinished } from 'vitest';
import { noQuota } from '#core/run/quota';
import { temporaryFolder } from '../../../test/tooling/clone.js';
import { openRunStore } from './run-store.js';
import { applicationId, migrations } from './schema.js';

it.each(migrations.map((_, steps) => [steps]))(
  'a file that has taken %d steps keeps what it has and gets the rest',
  async (steps) => {
    const path = join(temporaryFolder(), 'mica.db');
    const database = new Database(path);
    if (steps > 0) {
      for (const step of migrations.slice(0, steps)) database.exec(step);
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps}`);
      database.exec(`INSERT INTO duration VALUES ('pytest', 1500)`);
    }
    database.close();
    const store = await openRunStore({ path });
    onTestFinished(() => store.close());
    await store.transact((tables) =>
      tables.putTenant({ name: 'acme', createdMs: 0, quota: noQuota, dedicated: [], tokens: [] }),
    );
    expect(await store.read((tables) => tables.durationMs('pytest'))).toBe(steps > 0 ? 1500 : null);
    expect(await store.read((tables) => tables.tenants().map(({ name }) => name))).toEqual(['acme']);
  },
);
