/** The CRD of deploy/kubernetes/controller: what it takes, fills in, refuses and shows, by raw requests and the real kubectl. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyPatterns, readPolicy } from '#adapters/kubernetes/read-policy';
import { aPolicy, defineKind, policiesPath, policyCrd } from '../support/served-policies.js';
import { requires } from '../tooling/requires.js';
import type { Json } from './api-server/json.js';
import { kubectlPrints } from './deploy/deployed.js';
import { openTestCluster, type TestCluster } from './test-cluster.js';

const kubectl = requires('kubectl');
const window = { start: '22:00', durationMinutes: 240 };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await openTestCluster();
  await defineKind(cluster.ask);
}, 120_000);
afterAll(() => cluster.close());

const dryly = (spec: Json) => cluster.ask('POST', `${policiesPath}?dryRun=All`, aPolicy('dry', spec));

describe('the CRD fills in', () => {
  it('what is left out', async () => {
    const { status, body } = await dryly({ maintenanceWindows: [window] });
    expect(status).toBe(201);
    expect(body.spec).toEqual({
      backend: 'gpu-operator',
      mode: 'Recommend',
      maxUnavailable: 1,
      evictions: 'Never',
      pendingSeconds: 10,
      cooldownSeconds: 600,
      maintenanceWindows: [{ ...window, timeZone: 'UTC' }],
    });
  });
});

describe('the CRD refuses', () => {
  it.each<[string, Json]>([
    ['spec.mode', { mode: 'auto' }],
    ['spec.backend', { backend: 'eks' }],
    ['spec.evictions', { evictions: true }],
    ['spec.maxUnavailable', { maxUnavailable: 0 }],
    ['spec.maxUnavailable', { maxUnavailable: '25%' }],
    ['spec.pendingSeconds', { pendingSeconds: -1 }],
    ['spec.cooldownSeconds', { cooldownSeconds: 604_801 }],
    ['spec.allowedProfiles', { allowedProfiles: [] }],
    ['spec.allowedProfiles[0]', { allowedProfiles: ['mig-1g.24gb'] }],
    ['spec.allowedProfiles[0]', { allowedProfiles: ['1G.24GB'] }],
    ['spec.allowedProfiles[1]', { allowedProfiles: ['whole', 'whole'] }],
    ['spec.nodeSelector.pool', { nodeSelector: { pool: 'a b' } }],
    ['spec.maintenanceWindows[0].start', { maintenanceWindows: [{ durationMinutes: 1 }] }],
    ['spec.maintenanceWindows[0].start', { maintenanceWindows: [{ ...window, start: '24:00' }] }],
    [
      'spec.maintenanceWindows[0].durationMinutes',
      { maintenanceWindows: [{ ...window, durationMinutes: 0 }] },
    ],
    ['spec.maintenanceWindows[0].timeZone', { maintenanceWindows: [{ ...window, timeZone: '' }] }],
    ['spec.maintenanceWindows[0].days[0]', { maintenanceWindows: [{ ...window, days: ['Monday'] }] }],
    ['spec.maintenanceWindows', { maintenanceWindows: Array.from({ length: 33 }, () => window) }],
  ])('%s', async (field, spec) => {
    const { status, body } = await dryly(spec);
    expect(status).toBe(422);
    // Servers before 1.25 leave out which item it is.
    const fields = [field, field.replaceAll(/\[\d\]/g, '')];
    expect(body.details.causes.some((cause: Json) => fields.includes(cause.field))).toBe(true);
  });

  it('a policy without a spec', async () => {
    const { apiVersion, kind, metadata } = aPolicy('bare');
    const bare = { apiVersion, kind, metadata };
    expect((await cluster.ask('POST', `${policiesPath}?dryRun=All`, bare)).body.message).toContain(
      'spec: Required value',
    );
  });
});

describe('the status', () => {
  it('is written by its own door alone, and counts no generation', async () => {
    const merge = { 'content-type': 'application/merge-patch+json' };
    const status = { nodes: 3 };
    await cluster.ask('POST', policiesPath, { ...aPolicy('doors'), status });
    const at = `${policiesPath}/doors`;
    await cluster.ask('PATCH', at, { status }, merge);
    expect((await cluster.ask('GET', at)).body.status).toBeUndefined();
    const { body } = await cluster.ask('PATCH', `${at}/status`, { status, spec: { mode: 'Auto' } }, merge);
    expect(body).toMatchObject({ status, spec: { mode: 'Recommend' }, metadata: { generation: 1 } });
    await cluster.ask('DELETE', at);
  });
});

describe('the schema', () => {
  const { schema, ...version } = policyCrd.spec.versions[0];

  it('says what each field of the spec is, and knows no CEL', () => {
    const silent: string[] = [];
    const visit = (field: Json, at: string): void => {
      if (field.properties === undefined && field.description === undefined) silent.push(at);
      for (const [key, one] of Object.entries<Json>(field.properties ?? {})) visit(one, `${at}.${key}`);
      if (field.items?.properties !== undefined) visit(field.items, `${at}[]`);
    };
    visit(schema.openAPIV3Schema.properties.spec, 'spec');
    expect(silent).toEqual([]);
    expect(JSON.stringify(policyCrd)).not.toContain('x-kubernetes-validations');
    expect(version).toMatchObject({
      name: 'v1alpha1',
      served: true,
      storage: true,
      subresources: { status: {} },
    });
  });

  it('bounds every list, map and text', () => {
    const loose: string[] = [];
    const visit = (field: Json, at: string): void => {
      if (field.type === 'array' && field.maxItems === undefined) loose.push(at);
      if (
        field.type === 'string' &&
        ![field.maxLength, field.enum, field.format].some((one) => one !== undefined)
      )
        loose.push(at);
      if (field.additionalProperties !== undefined && field.maxProperties === undefined) loose.push(at);
      for (const [key, one] of Object.entries<Json>(field.properties ?? {})) visit(one, `${at}.${key}`);
      if (field.items !== undefined) visit(field.items, `${at}[]`);
    };
    const { spec, status } = schema.openAPIV3Schema.properties;
    visit(spec, 'spec');
    visit(status, 'status');
    expect(loose).toEqual([]);
  });

  it('has the patterns of the reader', () => {
    const { nodeSelector, allowedProfiles, maintenanceWindows } =
      schema.openAPIV3Schema.properties.spec.properties;
    const { start, timeZone } = maintenanceWindows.items.properties;
    expect({
      profile: allowedProfiles.items.pattern,
      start: start.pattern,
      timeZone: timeZone.pattern,
      labelValue: nodeSelector.additionalProperties.pattern,
    }).toEqual(
      Object.fromEntries(Object.entries(policyPatterns).map(([key, { source }]) => [key, unescaped(source)])),
    );
  });
});

/** A regular expression writes its slashes as `\/`. */
const unescaped = (source: string): string => source.replaceAll('\\/', '/');

/** Mostly right, often nearly right. */
function anySpec(): fc.Arbitrary<Json> {
  const odd = fc.constantFrom<Json>(
    '',
    'x',
    0,
    -1,
    1.5,
    1e9,
    true,
    [],
    {},
    [null],
    ['x'],
    { a: 1 },
    '1g',
    '7:00',
  );
  const mixed = (right: fc.Arbitrary<Json>) =>
    fc.oneof({ weight: 20, arbitrary: right }, { weight: 1, arbitrary: odd });
  const days = fc.constantFrom('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun');
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Mars/Olympus',
    'Europe/Nowhere',
    'Etc/GMT+1',
    '+01:00',
  );
  const some = { requiredKeys: [] };
  const windows = fc.record(
    {
      days: mixed(fc.uniqueArray(days, { minLength: 1 })),
      start: mixed(fc.constantFrom('00:00', '22:00', '23:59', '09:30')),
      durationMinutes: mixed(fc.constantFrom(1, 240, 1440, 10_080, 10_081)),
      timeZone: mixed(zones),
    },
    { requiredKeys: ['start', 'durationMinutes'] },
  );
  const labels = fc.dictionary(
    fc.constantFrom('pool', 'nvidia.com/gpu.product', 'a b', '/x'),
    mixed(fc.constantFrom('', 'gpus', 'NVIDIA-H100', '-x', 'a'.repeat(63))),
  );
  const profiles = fc.constantFrom(
    'whole',
    '1g.24gb',
    '1g.24gb+me',
    '2g.48gb+gfx',
    '1c.3g.40gb',
    '0g.0gb',
    '1g.24gb.me',
  );
  return fc.oneof(
    { weight: 1, arbitrary: odd },
    {
      weight: 20,
      arbitrary: fc.record(
        {
          nodeSelector: mixed(labels),
          backend: mixed(fc.constantFrom('gpu-operator', 'gke')),
          mode: mixed(fc.constantFrom('Auto', 'Recommend')),
          allowedProfiles: mixed(fc.uniqueArray(profiles, { minLength: 1, maxLength: 3 })),
          maxUnavailable: mixed(fc.constantFrom(1, 2, 1000, 1001)),
          evictions: mixed(fc.constantFrom('Never', 'Allowed')),
          pendingSeconds: mixed(fc.constantFrom(0, 10, 86_400, 86_401)),
          cooldownSeconds: mixed(fc.constantFrom(0, 600, 604_800)),
          maintenanceWindows: mixed(fc.array(mixed(windows), { maxLength: 2 })),
          unknown: odd,
        },
        some,
      ),
    },
  );
}

describe('the CRD and the reader agree', () => {
  it(
    'what the one takes, the other reads alike, or names what no schema can say',
    { timeout: 300_000 },
    async () => {
      const counts = { followed: 0, named: 0, refused: 0 };
      const numRuns = process.env['MICA_LONG'] === '1' ? 2000 : 250;
      await fc.assert(
        fc.asyncProperty(anySpec(), async (spec) => {
          const { status, body } = await dryly(spec);
          const metadata = { name: 'dry', uid: 'u', generation: 1 };
          const own = readPolicy({ metadata, spec }).seen;
          if (status === 201) {
            const served = readPolicy({ metadata, spec: body.spec }).seen;
            expect(served).toEqual(own);
            if (!served.ok)
              expect(served.why).toMatch(
                /^spec\.(maintenanceWindows\[\d\]\.timeZone: .* not known|nodeSelector: .* not a name that a label can have)/,
              );
            counts[served.ok ? 'followed' : 'named'] += 1;
            return;
          }
          expect(status).toBe(422);
          expect(own.ok ? body.message : '').toBe('');
          counts.refused += 1;
        }),
        { numRuns },
      );
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
    },
  );
});

describe.skipIf(kubectl.missing)(kubectl.title('kubectl with policies'), () => {
  const run = async (args: readonly string[], input: Json = ''): Promise<string> =>
    (await kubectlPrints(args, { KUBECONFIG: cluster.admin.kubeconfigPath }, input)).text;
  const applied = (policy: Json): Promise<string> => run(['apply', '-f', '-'], JSON.stringify(policy));

  it('applies one, and shows it in columns', async () => {
    expect(await applied(aPolicy('inference', { mode: 'Auto' }))).toBe(
      'migpolicy.mica.dev/inference created\n',
    );
    const condition = (type: string, reason: string): Json => ({
      type,
      status: 'False',
      reason,
      message: '',
      lastTransitionTime: '2026-11-24T10:00:00Z',
    });
    const conditions = [condition('Satisfied', 'PodsWait'), condition('Progressing', 'OutsideWindow')];
    const patch = JSON.stringify({ status: { nodes: 4, waitingPods: 2, conditions } });
    await run(['patch', 'migp', 'inference', '--subresource=status', '--type=merge', '-p', patch]);
    const [head, row] = (await run(['get', 'migpolicies'])).split('\n');
    expect(head?.split(/ +/)).toEqual([
      'NAME',
      'MODE',
      'NODES',
      'WAITING',
      'SATISFIED',
      'PROGRESSING',
      'AGE',
    ]);
    expect(row).toMatch(/^inference +Auto +4 +2 +PodsWait +OutsideWindow +\d+s$/);
    expect(await applied(aPolicy('inference', { mode: 'Auto' }))).toBe(
      'migpolicy.mica.dev/inference unchanged\n',
    );
  });

  it('is told which field is wrong', async () => {
    expect(await applied(aPolicy('x', { mod: 'Auto' }))).toMatch(/unknown field "(spec\.)?mod"/);
    expect(await applied(aPolicy('x', { mode: 'auto' }))).toContain(
      'spec.mode: Unsupported value: "auto": supported values: "Recommend", "Auto"',
    );
  });
});
