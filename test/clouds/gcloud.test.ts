/** The real gcloud and our adapter against the same endpoint: the same calls, and equal values for all that we set. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gkeNodePools, type GkeNodePools } from '#adapters/gke/node-pools';
import { setAutoscaling, setPoolSize } from '#core/clouds/gke/pool-requests';
import type { PoolDraft, PoolWish } from '#ports/node-pools';
import { VirtualClock } from '../support/virtual-clock.js';
import { temporaryFolder } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';
import { run } from '../tooling/run.js';
import { GkeServer, type Asked } from './gke-server.js';
import { oldPool } from './gke-world.js';

const gcloud = requires('gcloud');
const call = { signal: new AbortController().signal, say: () => undefined };

describe.skipIf(gcloud.missing)(gcloud.title('gcloud sends what we send'), { timeout: 120_000 }, () => {
  const api = new GkeServer();
  let url = '';
  let pools: GkeNodePools;
  beforeAll(async () => {
    url = await api.listen();
    api.looksPerOperation = 1;
    pools = gkeNodePools({ place: api.place, endpoint: url, clock: new VirtualClock() });
  });
  afterAll(async () => {
    await pools.close();
    await api.close();
  });

  async function byGcloud(command: readonly string[] | null | undefined): Promise<Asked> {
    const home = temporaryFolder();
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      CLOUDSDK_CONFIG: home,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER: url,
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    };
    const ran = await run('gcloud', [...(command ?? []).slice(1), '--format=json'], { env });
    expect(ran.stderr).not.toContain('ERROR');
    expect(ran.code).toBe(0);
    return lastChange();
  }

  function lastChange(): Asked {
    return api.asked.filter(({ method }) => method !== 'GET').at(-1)!;
  }

  async function drafted(wish: Partial<PoolWish>): Promise<PoolDraft> {
    const all = { name: 'new', like: 'old', cut: '2g.48gb', sharers: 1, nodes: 2, labels: {}, ...wish };
    const draft = await pools.draft(all);
    if (!draft.ok) throw new Error(draft.why.message);
    return draft.value;
  }

  it('for a pool like another one, field by field', async () => {
    api.addPool({
      ...oldPool,
      name: 'old',
      autoscaling: { enabled: true, minNodeCount: 1, maxNodeCount: 4, locationPolicy: 'ANY' },
      config: {
        ...oldPool.config,
        kubeletConfig: undefined,
        spot: true,
        tags: ['gpu', 'batch'],
        metadata: { 'serial-port-enable': 'true' },
        resourceLabels: { cost: 'search' },
        minCpuPlatform: 'AMD Turin',
        shieldedInstanceConfig: { enableIntegrityMonitoring: true, enableSecureBoot: true },
        workloadMetadataConfig: { mode: 'GKE_METADATA' },
        reservationAffinity: { consumeReservationType: 'ANY_RESERVATION' },
      },
    });
    const draft = await drafted({ labels: { 'mica.dev/replaces': 'old' }, sharers: 4 });
    expect(draft.requests[0]?.unsaid).toEqual([]);
    const theirs = await byGcloud(draft.requests[0]?.command);
    api.pools.delete('new');
    expect(await pools.create(draft, call)).toMatchObject({ ok: true });
    const ours = lastChange();
    expect(ours.method).toBe(theirs.method);
    expect(ours.path).toBe(theirs.path);
    expect(ours.body).toEqual(theirs.body);
  });

  it('for a pool like none', async () => {
    const machine = {
      machineType: 'a3-highgpu-8g',
      zones: [],
      scaling: { minNodes: 0, maxNodes: 2 },
      spot: false,
    };
    const draft = await drafted({ name: 'fresh', like: null, machine, cut: '3g.40gb', nodes: 1 });
    const theirs = await byGcloud(draft.requests[0]?.command);
    expect(theirs.body).toEqual(draft.requests[0]?.body);
    expect(theirs.path).toBe(draft.requests[0]?.path);
  });

  it('for scaling, size and the end of a pool', async () => {
    expect(await byGcloud(setPoolSize(api.place, 'old', 3).command)).toMatchObject({ method: 'POST' });
    const resized = lastChange();
    expect(await pools.resize('old', 3, call)).toEqual({ ok: true, value: null });
    expect(lastChange()).toEqual(resized);

    const held = await byGcloud(setAutoscaling(api.place, 'old', null).command);
    api.pools.get('old').autoscaling = oldPool.autoscaling;
    expect(await pools.holdScaling('old', call)).toEqual({ ok: true, value: null });
    expect(lastChange()).toEqual(held);

    const restored = await byGcloud(setAutoscaling(api.place, 'old', oldPool.autoscaling).command);
    delete api.pools.get('old').autoscaling;
    expect(await pools.restoreScaling('old', 'new', call)).toEqual({ ok: true, value: null });
    expect(lastChange()).toEqual(restored);

    const closing = await pools.closing('old');
    const commands = closing.ok ? closing.value.map(({ command }) => command) : [];
    const deleted = await byGcloud(commands.at(-1));
    api.addPool({ ...oldPool, name: 'old' });
    expect(await pools.remove('old', call)).toEqual({ ok: true, value: null });
    expect(lastChange()).toEqual(deleted);
  });
});
