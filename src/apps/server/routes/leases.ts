/** The desk over HTTP: each route is one of its calls, made for whoever shows a token, in the process that calls. */
import type { FastifyInstance } from 'fastify';
import type { XidLog } from '#engines/run/desk/xid-log';
import type { LeaseDesk } from '#ports/lease-desk';
import {
  askForm,
  idForm,
  keepForm,
  quarantineForm,
  releaseForm,
  reopenForm,
  usedForm,
  xidsForm,
} from '../api/leases.js';
import type { Log } from '../events.js';
import type { Principal } from '../principal.js';

export interface LeaseRoutes {
  readonly deskFor: (principal: Principal) => LeaseDesk;
  readonly xids: Pick<XidLog, 'since'>;
  readonly log: Log;
}

export function leaseRoutes(app: FastifyInstance, { deskFor, xids, log }: LeaseRoutes): void {
  app.post('/v1/requests', async ({ principal, body }) => {
    const request = askForm.parse(body);
    const answer = await deskFor(principal).ask(request);
    if (answer.kind === 'granted') {
      const { id: lease, slices } = answer.lease;
      log({
        kind: 'granted',
        tenant: principal.tenant,
        lease,
        pid: principal.holder.pid,
        slices: slices.map(({ id }) => id),
        command: request.command,
      });
    }
    return answer;
  });
  app.delete<Named>('/v1/requests/:id', async ({ principal, params }) => {
    await deskFor(principal).withdraw(idForm.parse(params.id));
    return {};
  });
  app.get('/v1/leases', async ({ principal }) => deskFor(principal).list());
  app.put<Named>('/v1/leases/:id', async ({ principal, params, body }) =>
    deskFor(principal).keep(idForm.parse(params.id), keepForm.parse(body).groups),
  );
  app.post<Named>('/v1/leases/:id/clean', async ({ principal, params }) => {
    const answer = await deskFor(principal).clean(idForm.parse(params.id));
    if (answer.kind === 'unclean') for (const one of answer.slices) log({ kind: 'quarantined', ...one });
    return answer;
  });
  app.post<Named>('/v1/leases/:id/quarantine', async ({ principal, params, body }) => {
    const { slice, why } = quarantineForm.parse(body);
    await deskFor(principal).quarantine(idForm.parse(params.id), slice, why);
    log({ kind: 'quarantined', slice, why });
    return {};
  });
  app.post<Named>('/v1/leases/:id/release', async ({ principal, params, body }) => {
    const lease = idForm.parse(params.id);
    await deskFor(principal).release(lease, releaseForm.parse(body).peakMemoryMiB);
    log({ kind: 'released', tenant: principal.tenant, lease });
    return {};
  });
  app.delete<Named>('/v1/leases/:id', async ({ principal, params }) => {
    const lease = idForm.parse(params.id);
    const answer = await deskFor(principal).end(lease);
    if (answer.ok) log({ kind: 'ended', tenant: principal.tenant, lease });
    return answer;
  });
  app.post('/v1/memory', async ({ principal, body }) => ({
    usedMiB: await deskFor(principal).usedMiB(usedForm.parse(body).slice),
  }));
  app.post('/v1/xids', async ({ principal, body }) => {
    const { after } = xidsForm.parse(body);
    const { slices, leases } = await deskFor(principal).list();
    const held = new Set(leases.flatMap((lease) => lease.slices));
    return xids.since(
      after,
      slices.filter(({ id }) => held.has(id)),
    );
  });
  app.post('/v1/reopen', async ({ principal, body }) => {
    const { slice, force } = reopenForm.parse(body);
    const answer = await deskFor(principal).reopen(slice, force);
    if (answer.ok) log({ kind: 'reopened', slice });
    return answer;
  });
}

interface Named {
  readonly Params: { readonly id: string };
}
