import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noQuota } from '#core/run/quota';
import { memoryRunStore } from '../../../test/support/memory-run-store.js';
import { testSecrets } from '../../../test/support/test-secrets.js';
import { authenticate } from './authenticate.js';
import type { TenancyPorts } from './ports.js';
import { addTenant, listTenants, removeTenant } from './tenants.js';
import { addToken, mostTokens, revokeToken, type IssueAnswer } from './tokens.js';

const dayMs = 86_400_000;

async function machine(...names: readonly string[]) {
  let nowMs = 1_000_000;
  const ports: TenancyPorts = {
    store: memoryRunStore(),
    clock: { nowMs: () => nowMs },
    secrets: testSecrets(),
  };
  const tokens: string[] = [];
  for (const name of names) {
    const answer = await addTenant(ports, { name, quota: noQuota, dedicated: [], tokenLifeMs: null });
    if (!answer.ok) throw new Error(answer.why.message);
    tokens.push(answer.token.text);
  }
  return {
    ports,
    tokens,
    later: (ms: number) => void (nowMs += ms),
    who: async (text: string) => {
      const answer = await authenticate(ports, text);
      return answer.ok ? answer.caller.tenant : answer.why.kind;
    },
  };
}

const issued = (answer: IssueAnswer): string => {
  if (!answer.ok) throw new Error(answer.why.message);
  return answer.token.text;
};

describe('a token', () => {
  it('lets in its tenant, and is kept as a digest alone', async () => {
    const { ports, tokens, who } = await machine('acme', 'bolt');
    expect(await Promise.all(tokens.map(who))).toEqual(['acme', 'bolt']);
    for (const text of tokens) {
      expect(text).toMatch(/^mica_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
      const secret = text.slice(-43);
      const stored = await ports.store.read((tables) => JSON.stringify(tables.tenants()));
      expect(stored).not.toContain(secret);
      expect(stored).toContain(ports.secrets.digest(text));
      expect(JSON.stringify(await listTenants(ports))).not.toMatch(new RegExp(`${secret}|hash|[0-9a-f]{64}`));
    }
  });

  it('lets nobody in once it is revoked, expired, or its tenant is removed', async () => {
    const { ports, tokens, who, later } = await machine('acme', 'bolt');
    const short = issued(await addToken(ports, 'acme', dayMs));
    expect(await who(short)).toBe('acme');
    later(dayMs - 1);
    expect(await who(short)).toBe('acme');
    later(1);
    expect(await who(short)).toBe('expired-token');
    expect(await authenticate(ports, short)).toMatchObject({
      why: { message: expect.stringMatching(/^the token [0-9a-f]{12} of acme has expired$/) },
    });
    const [acme = '', bolt = ''] = tokens;
    expect(await revokeToken(ports, 'bolt', acme.split('_')[1] ?? '')).toMatchObject({
      why: { kind: 'unknown-token' },
    });
    expect(await revokeToken(ports, 'acme', acme.split('_')[1] ?? '')).toEqual({ ok: true });
    await removeTenant(ports, 'bolt');
    expect([await who(acme), await who(bolt)]).toEqual(['no-such-token', 'no-such-token']);
  });

  it('that is forged lets nobody in, and is answered as one that never was', async () => {
    const { ports, tokens, who } = await machine('acme');
    const [real = ''] = tokens;
    const [, id = ''] = real.split('_');
    const never = await authenticate(ports, `mica_000000000000_${'A'.repeat(43)}`);
    const forged = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.stringMatching(/^[A-Za-z0-9_-]{43}$/).map((secret) => `mica_${id}_${secret}`),
      fc
        .nat({ max: real.length - 1 })
        .map((at) => `${real.slice(0, at)}${real[at] === 'a' ? 'b' : 'a'}${real.slice(at + 1)}`),
      fc.nat({ max: real.length - 1 }).map((at) => real.slice(0, at)),
      fc.constantFrom(
        `${real}x`,
        ` ${real}`,
        `${real}\n`,
        real.toUpperCase(),
        id,
        '',
        'mica__',
        `mica_${id}_`,
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        forged.filter((text) => text !== real),
        async (text) => {
          expect(await authenticate(ports, text)).toEqual(never);
        },
      ),
    );
    expect(await who(real)).toBe('acme');
  });

  it('says an expiry only to whoever has it', async () => {
    const { ports, who, later } = await machine('acme');
    const short = issued(await addToken(ports, 'acme', 1000));
    later(2000);
    expect(await who(`${short.slice(0, -1)}${short.endsWith('A') ? 'B' : 'A'}`)).toBe('no-such-token');
  });

  it('is compared by its digest, whether or not its id is known', async () => {
    const { ports, tokens } = await machine('acme');
    const compared: string[] = [];
    const watching = {
      ...ports,
      secrets: {
        ...ports.secrets,
        isSame: (one: string, other: string): boolean => {
          compared.push(one);
          return ports.secrets.isSame(one, other);
        },
      },
    };
    await authenticate(watching, tokens[0] ?? '');
    await authenticate(watching, `mica_000000000000_${'A'.repeat(43)}`);
    expect(compared.map(({ length }) => length)).toEqual([64, 64]);
  });

  it('lives for some time, and a tenant has so many', async () => {
    const { ports } = await machine('acme');
    for (const lifeMs of [0, -1, NaN, Infinity, 4000 * dayMs]) {
      expect(await addToken(ports, 'acme', lifeMs)).toMatchObject({ why: { kind: 'bad-expiry' } });
    }
    expect(await addToken(ports, 'bolt', null)).toMatchObject({ why: { kind: 'unknown-tenant' } });
    for (let count = 1; count < mostTokens; count += 1) issued(await addToken(ports, 'acme', null));
    expect(await addToken(ports, 'acme', null)).toMatchObject({ why: { kind: 'too-many' } });
  });
});
