/** A machine of two slices with a desk for several callers: the desk itself, or the same behind a server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectTo } from '#adapters/desk/connection';
import { deskAt } from '#adapters/desk/desk';
import { systemSecrets } from '#adapters/system/secrets';
import { buildServer, type ServerPorts } from '#apps/server/app';
import { noQuota } from '#core/run/quota';
import { openDesk } from '#engines/run/desk/open-desk';
import { xidLog } from '#engines/run/desk/xid-log';
import { machineSlices } from '#engines/run/machine-slices';
import { tenancyOver } from '#engines/tenancy/tenancy';
import type { LeaseDesk } from '#ports/lease-desk';
import type { DeskContractSetup } from '#ports/lease-desk.contract';
import type { ProcessMark } from '#ports/run-store';
import { runWorld, type Actor } from './run-world.js';

type DeskFor = (actor: Actor, tenant: string | null) => Promise<LeaseDesk>;

const foreignGroup: ProcessMark = { pid: 666, startedAt: '1', bootId: 'boot' };
const whyForeign = ({ pid }: ProcessMark): string | null => (pid === 666 ? 'it is not yours' : null);

export async function ownDesk(): Promise<DeskContractSetup> {
  const { world, desk } = await machine();
  const deskFor: DeskFor = async ({ mark }, tenant) => desk.for({ holder: mark, tenant, whyForeign });
  return setupOf(world, deskFor, async () => undefined);
}

/** One server for each process that calls, since all of them are this one: each says who called as its kernel would. */
export async function servedDesk(): Promise<DeskContractSetup> {
  const { world, desk, ports, tokens } = await machine();
  const folder = mkdtempSync(join(tmpdir(), 'mica-desk-'));
  const closing: (() => Promise<unknown>)[] = [];
  let sockets = 0;
  const deskFor: DeskFor = async ({ mark }, tenant) => {
    const peers = {
      of: () => ({ mark, uid: 1000 }),
      whyForeign: (_: unknown, group: ProcessMark) => whyForeign(group),
    };
    const app = buildServer({ ...ports, desk, peers });
    const socket = join(folder, `${(sockets += 1)}.sock`);
    await app.listen({ path: socket });
    const token = tenant === null ? operatorKey : (tokens.get(tenant) ?? '');
    const connection = connectTo({ socket, token, clock: world.clock, patienceMs: 0 });
    closing.push(connection.close, () => app.close());
    return deskAt(connection);
  };
  return setupOf(world, deskFor, async () => {
    for (const close of closing) await close();
    rmSync(folder, { recursive: true });
  });
}

const operatorKey = 'mica_operator_of_the_bed';

async function machine() {
  const world = runWorld('rtx-pro-6000:1');
  await world.cut(0, '2g.48gb:0', '2g.48gb:6');
  const keeper = world.actor();
  const desk = openDesk(keeper.ports);
  const tenancyPorts = { store: world.store, clock: world.clock, secrets: systemSecrets };
  const tenancy = tenancyOver({ ...tenancyPorts, slices: () => machineSlices(world.driver) });
  const tokens = new Map<string, string>();
  for (const name of ['acme', 'beta']) {
    const added = await tenancy.add({ name, quota: noQuota, dedicated: [], tokenLifeMs: null });
    if (added.ok) tokens.set(name, added.token.text);
  }
  const ports: Omit<ServerPorts, 'peers' | 'desk'> = {
    ...tenancyPorts,
    ...{ tenancy, xids: xidLog(0), log: () => undefined, version: 'test' },
    operatorDigest: systemSecrets.digest(operatorKey),
  };
  return { world, desk, ports, tokens };
}

function setupOf(
  world: ReturnType<typeof runWorld>,
  deskFor: DeskFor,
  close: () => Promise<void>,
): DeskContractSetup {
  return {
    caller: async (tenant) => {
      const actor = world.actor();
      return {
        mark: actor.mark,
        die: actor.die,
        desk: await deskFor(actor, tenant),
        start: async (id, manner) => {
          const slice = (await machineSlices(world.driver)).find((one) => one.id === id);
          if (slice === undefined) throw new Error(`no slice ${id}`);
          return actor.start(slice, manner);
        },
      };
    },
    isAlive: world.isAlive,
    foreignGroup,
    close: async () => {
      await close();
      world.close();
    },
  };
}
