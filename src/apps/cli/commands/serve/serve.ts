/** `mica serve`: hands out the slices of this machine to its tenants until it is asked to stop. */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MicaError } from '#core/errors';
import type { EndLeasePorts } from '#engines/run/end-lease';
import type { LockAnswer } from '#ports/locks';
import { longestTimeMs, timeSpanMs } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { version } from '../../version.js';
import { withNode, type DriverFlags } from '../node/open-node.js';
import { listenForSignals } from '../run/signals.js';
import { sliceWishFrom, type SliceFlags } from '../run/slice-wish.js';
import { listenOn } from './listen.js';
import { logOn } from './log.js';
import { ensureOperatorKey } from './operator-key.js';
import { operatorKeyFile, ownSocket, serverFile, type SocketFlags } from './places.js';

export interface ServeFlags extends DriverFlags, SliceFlags, SocketFlags {
  readonly leaseTtl?: string;
}

/** How often it is looked whether holders live, where nobody asks for a slice. */
const tidyEveryMs = 1_000;

export async function serveCommand(
  { host, json }: Context,
  _positional: readonly never[],
  flags: ServeFlags,
): Promise<AnswerExit> {
  const { env } = host;
  const socket = ownSocket(flags, env);
  const ttlMs =
    flags.leaseTtl === undefined ? undefined : timeSpanMs('--lease-ttl', flags.leaseTtl, longestTimeMs);
  if (ttlMs === 0) throw new MicaError('bad-usage', '--lease-ttl must be longer than no time');
  const signals = listenForSignals();
  try {
    return await withNode(host, flags, async (change, { runFolder }): Promise<AnswerExit> => {
      if (change.driver.kind === 'simulated' && (flags.profile ?? flags.memory) !== undefined) {
        const { cutForWish } = await import('../run/cut-for-wish.js');
        await cutForWish(change, await sliceWishFrom(flags, host));
      }
      const [
        { openRunStore },
        { lockFiles },
        { systemJobRunner: runner },
        { systemProcesses: processes },
        { systemSecrets: secrets },
        { kernelPeers },
        { openDesk },
        { xidLog },
        { machineSlices },
        { tenancyOver },
        { buildServer },
      ] = await Promise.all([
        import('#adapters/sqlite/run-store'),
        import('#adapters/system/lock-files'),
        import('#adapters/system/job-runner'),
        import('#adapters/system/processes'),
        import('#adapters/system/secrets'),
        import('#adapters/peer/peers'),
        import('#engines/run/desk/open-desk'),
        import('#engines/run/desk/xid-log'),
        import('#engines/run/machine-slices'),
        import('#engines/tenancy/tenancy'),
        import('#apps/server/app'),
      ]);
      const { driver, clock } = change;
      const store = await openRunStore({ path: join(runFolder, 'mica.db') });
      const lock = expectLock(await lockFiles(join(runFolder, 'locks')).lock('serve'));
      const log = logOn(host, json);
      const ports: EndLeasePorts = {
        store,
        driver,
        clock,
        processes,
        runner,
        self: {
          pid: process.pid,
          startedAt: processes.startOf(process.pid) ?? '',
          bootId: processes.bootId(),
          pidNamespace: processes.pidNamespace(),
        },
        newId: () => randomUUID().slice(0, 8),
        ...(ttlMs === undefined ? {} : { ttlMs }),
      };
      const desk = openDesk(ports, {
        onReclaimed: ({ id, wish, holder }) =>
          log({ kind: 'reclaimed', tenant: wish.tenant, lease: id, pid: holder.pid }),
      });
      const xids = xidLog(clock.nowMs());
      const app = buildServer({
        ...{ desk, xids },
        store,
        clock,
        secrets,
        peers: kernelPeers(processes),
        operatorDigest: secrets.digest(await ensureOperatorKey(operatorKeyFile(env))),
        tenancy: tenancyOver({ store, clock, secrets, slices: () => machineSlices(driver) }),
        log,
        version,
      });
      const beside = serverFile(runFolder);
      try {
        await listenOn(app, socket);
        await writeFile(beside, JSON.stringify({ pid: process.pid, socket }), { mode: 0o600 });
        log({ kind: 'started', socket, pid: process.pid });
        void xids.run(driver, clock, signals.first);
        while (!signals.first.aborted) {
          await desk.tidy();
          await clock.sleep(tidyEveryMs, signals.first);
        }
        log({ kind: 'stopped', why: signals.received() ?? 'signal' });
        await rm(beside, { force: true });
        return 0;
      } finally {
        desk.close();
        // What is being answered is answered; the socket goes with the server.
        await app.close();
        await store.close();
        await lock.release();
      }
    });
  } finally {
    signals.release();
  }
}

function expectLock(answer: LockAnswer): Extract<LockAnswer, { readonly ok: true }> {
  if (answer.ok) return answer;
  const who = answer.pid === null ? 'another process' : `process ${answer.pid}`;
  throw new MicaError('state-locked', `a server runs on this machine already: ${who}`, {
    next: 'Use it, or end it first.',
  });
}
