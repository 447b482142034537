/** Tenants, their tokens and what they used: for whoever runs the machine; a tenant may ask what it used itself. */
import type { FastifyInstance } from 'fastify';
import { MicaError } from '#core/errors';
import type { Tenancy } from '#engines/tenancy/tenancy';
import {
  newTenantForm,
  newTokenForm,
  tenantChangeForm,
  tenantForm,
  tokenForm,
  usageForm,
} from '../api/tenants.js';
import type { Log } from '../events.js';
import type { Principal } from '../principal.js';

export interface TenantRoutes {
  readonly tenancy: Tenancy;
  readonly log: Log;
}

export function tenantRoutes(app: FastifyInstance, { tenancy, log }: TenantRoutes): void {
  const noted = <T extends { readonly ok: boolean }>(name: string, what: string, answer: T): T => {
    if (answer.ok) log({ kind: 'tenant', name, what });
    return answer;
  };
  app.get('/v1/tenants', async ({ principal }) => {
    operatorOnly(principal);
    return tenancy.list();
  });
  app.post('/v1/tenants', async ({ principal, body }) => {
    operatorOnly(principal);
    const asked = newTenantForm.parse(body);
    return noted(asked.name, 'added', await tenancy.add(asked));
  });
  app.patch<Named>('/v1/tenants/:name', async ({ principal, params, body }) => {
    operatorOnly(principal);
    const { quota, dedicate, release } = tenantChangeForm.parse(body);
    const name = tenantForm.parse(params.name);
    const change = {
      ...(quota === undefined ? {} : { quota: withoutGaps(quota) }),
      ...(dedicate === undefined ? {} : { dedicate }),
      ...(release === undefined ? {} : { release }),
    };
    return noted(name, 'changed', await tenancy.change(name, change));
  });
  app.delete<Named>('/v1/tenants/:name', async ({ principal, params }) => {
    operatorOnly(principal);
    const name = tenantForm.parse(params.name);
    return noted(name, 'removed', await tenancy.remove(name));
  });
  app.post<Named>('/v1/tenants/:name/tokens', async ({ principal, params, body }) => {
    operatorOnly(principal);
    const name = tenantForm.parse(params.name);
    return noted(name, 'got a token', await tenancy.addToken(name, newTokenForm.parse(body).lifeMs));
  });
  app.delete<NamedToken>('/v1/tenants/:name/tokens/:token', async ({ principal, params }) => {
    operatorOnly(principal);
    const name = tenantForm.parse(params.name);
    return noted(name, 'lost a token', await tenancy.revokeToken(name, tokenForm.parse(params.token)));
  });
  app.post('/v1/usage', async ({ principal: { tenant }, body }) => {
    const { question, prices } = usageForm.parse(body);
    const { sinceMs, untilMs } = question;
    // What others use is not a tenant's to know, not even whether there are such.
    const whose = tenant ?? question.tenant;
    const asked = { sinceMs, untilMs, ...(whose === undefined ? {} : { tenant: whose }) };
    return tenancy.usage(asked, prices);
  });
}

interface Named {
  readonly Params: { readonly name: string };
}

interface NamedToken {
  readonly Params: { readonly name: string; readonly token: string };
}

function operatorOnly({ tenant }: Principal): void {
  if (tenant === null) return;
  throw new MicaError('access-refused', 'tenants are for whoever runs the machine', {
    next: 'Ask them; `mica usage` shows what you have used.',
  });
}

/** Keys that were left out are no values. */
function withoutGaps<T extends object>(record: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
