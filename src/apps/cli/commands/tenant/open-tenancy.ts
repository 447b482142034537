/**
 * The tenants of this machine: at its server where one runs, else in its store for whoever may open that. The driver is
 * asked only where slices are named.
 */
import { join } from 'node:path';
import { MicaError } from '#core/errors';
import type { LeasableSlice } from '#core/run/slice';
import type { Refused } from '#engines/tenancy/ports';
import type { Tenancy } from '#engines/tenancy/tenancy';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import type { Host } from '../../terminal/screen.js';
import { runFolderOf, withNode } from '../node/open-node.js';
import { findServer, withConnection, type DeskFlags } from '../serve/find-server.js';

export interface OpenTenancy {
  readonly tenancy: Tenancy;
  /** Throws MicaError where the driver does not answer: tokens can be revoked without it. */
  readonly slices: () => Promise<readonly LeasableSlice[]>;
  /** The folder of the store, or the server that has it open. */
  readonly where: string;
}

export async function withTenancy<T>(
  host: Host,
  flags: DeskFlags,
  work: (opened: OpenTenancy) => Promise<T>,
): Promise<T> {
  const socket = await findServer(host, flags);
  return socket === null ? onOwnStore(host, flags, work) : atServer(host, flags, socket, work);
}

async function onOwnStore<T>(
  host: Host,
  flags: DeskFlags,
  work: (opened: OpenTenancy) => Promise<T>,
): Promise<T> {
  const [{ openRunStore }, { systemClock: clock }, { systemSecrets: secrets }, { tenancyOver }] =
    await Promise.all([
      import('#adapters/sqlite/run-store'),
      import('#adapters/system/clock'),
      import('#adapters/system/secrets'),
      import('#engines/tenancy/tenancy'),
    ]);
  const slices = async (): Promise<readonly LeasableSlice[]> => {
    const { machineSlices } = await import('#engines/run/machine-slices');
    return withNode(host, flags, ({ driver }) => machineSlices(driver));
  };
  const where = runFolderOf(host, flags);
  const store = await openRunStore({ path: join(where, 'mica.db') });
  try {
    return await work({ tenancy: tenancyOver({ store, clock, secrets, slices }), slices, where });
  } finally {
    await store.close();
  }
}

async function atServer<T>(
  host: Host,
  flags: DeskFlags,
  socket: string,
  work: (opened: OpenTenancy) => Promise<T>,
): Promise<T> {
  const [{ tenancyAt }, { deskAt }] = await Promise.all([
    import('#adapters/desk/tenancy'),
    import('#adapters/desk/desk'),
  ]);
  return withConnection(host, flags, socket, (connection) =>
    work({
      // The server answers with what the same engine gave it.
      tenancy: tenancyAt(connection) as Tenancy,
      slices: async () => (await deskAt(connection).list()).slices,
      where: socket,
    }),
  );
}

/** What was typed wrongly ends the command; a "no" of the machine is its answer. */
export function answerNo({ screen, json }: Context, { why }: Refused): AnswerExit {
  const next = nextSteps[why.kind];
  if (mistakes.has(why.kind)) throw new MicaError('bad-usage', why.message, next === '' ? {} : { next });
  if (json) printJson(screen, { ok: false, why });
  else screen.note(`mica: ${why.message}\nWhat to do: ${next}`);
  return 1;
}

const mistakes: ReadonlySet<Refused['why']['kind']> = new Set([
  'bad-name',
  'bad-quota',
  'bad-place',
  'bad-expiry',
]);

const nextSteps: Readonly<Record<Refused['why']['kind'], string>> = {
  'bad-name': 'Choose a name as a host has one, e.g. acme or team-2.',
  'bad-quota': '',
  'bad-place': '`mica tenant list` shows which slices are whose.',
  'bad-expiry': 'Write --expires 90d, or leave it out.',
  exists: 'Change it with `mica tenant quota`, or give it another token with `mica tenant token NAME add`.',
  'unknown-tenant': '`mica tenant list` shows the tenants of this machine.',
  'unknown-token': '`mica tenant token NAME list` shows the tokens that it has.',
  'too-many': 'Remove what nobody uses any more: `mica tenant list` shows it.',
  'dedicated-elsewhere': 'Take it from the other first: mica tenant quota OTHER --undedicate SLICE.',
  'holds-leases': 'End them with `mica kill LEASE`, or wait until they have ended.',
};
