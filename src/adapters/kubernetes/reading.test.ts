/** What is read of objects as the API has them, and what is left out; DRA of every version. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveCluster } from '../../../test/support/cluster-on-server.js';
import { wireClaim, wireNode, wirePod, wireSlice } from '../../../test/support/wire-objects.js';
import { interning } from './interning.js';
import { readClaim, readSlice } from './read-dra.js';
import { readNode } from './read-node.js';
import { readPod } from './read-pod.js';

const { signal } = new AbortController();
const gpu = 'nvidia.com/gpu';
const mig = 'nvidia.com/mig-1g.10gb';

function podWith(spec: object, status: object = {}): object {
  return { metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '1' }, spec, status };
}
const asking = (counts: Record<string, string>, restartPolicy?: string) => ({
  resources: { limits: counts },
  ...(restartPolicy === undefined ? {} : { restartPolicy }),
});
const read = (raw: object, isGpuNode = false) => readPod(raw, () => isGpuNode, interning());

describe('what a pod wants', () => {
  it.each([
    ['containers together', [asking({ [gpu]: '1' }), asking({ [gpu]: '2' })], [], { [gpu]: 3 }],
    ['an init container that wants more', [asking({ [gpu]: '1' })], [asking({ [gpu]: '4' })], { [gpu]: 4 }],
    [
      'a sidecar runs beside them',
      [asking({ [gpu]: '1' })],
      [asking({ [gpu]: '2' }, 'Always')],
      { [gpu]: 3 },
    ],
    [
      'an init container after a sidecar',
      [asking({ [gpu]: '1' })],
      [asking({ [gpu]: '2' }, 'Always'), asking({ [gpu]: '3' })],
      { [gpu]: 5 },
    ],
    [
      'only GPUs and slices count',
      [asking({ cpu: '4', [mig]: '1', 'nvidia.com/hostdev': '2' })],
      [],
      { [mig]: 1 },
    ],
  ])('%s', (_what, containers, initContainers, wants) => {
    expect(read(podWith({ containers, initContainers }))?.wants).toEqual(wants);
  });

  it('nothing: it matters only on a GPU node, or with a claim', () => {
    const plain = podWith({ nodeName: 'a', containers: [asking({ cpu: '1', [gpu]: '0' })] });
    expect(read(plain)).toBeNull();
    expect(read(plain, true)).toMatchObject({ node: 'a', wants: {} });
    const claimed = podWith(
      { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] },
      { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'p-gpu-x2x4z' }] },
    );
    expect(read(claimed)).toMatchObject({ claims: ['p-gpu-x2x4z'] });
  });
});

it('lists and maps may be null, and what is long and not ours is left out', () => {
  const node = readNode(
    {
      metadata: {
        name: 'a',
        labels: null,
        annotations: { long: 'x'.repeat(5000), 'mica.dev/step': 'y'.repeat(5000), short: 'z' },
        managedFields: [{ manager: 'kubelet' }],
      },
      spec: { taints: null },
      status: { conditions: null, capacity: { [gpu]: '1k', cpu: '4' }, allocatable: null },
    },
    interning(),
  );
  expect(node).toMatchObject({
    labels: {},
    taints: [],
    isReady: false,
    capacity: { [gpu]: 1000 },
    allocatable: {},
  });
  expect(Object.keys(node.annotations)).toEqual(['mica.dev/step', 'short']);
  expect(node).not.toHaveProperty('managedFields');
});

it('equal labels of many pods are kept once', () => {
  const intern = interning();
  const of = (name: string) =>
    readPod(wirePod({ name, labels: { app: 'x' }, wants: { [gpu]: 1 } }), () => false, intern);
  expect(of('a')?.labels).toBe(of('b')?.labels);
});

describe('DRA', () => {
  const device = {
    device: 'gpu-0-mig-0',
    attributes: { type: 'mig', profile: '1g.24gb', architecture: 'Blackwell' },
  };

  it('devices are taken by claims; an old generation of a pool and other drivers do not count', async () => {
    const { api, server, close } = await serveCluster();
    onTestFinished(close);
    const old = { ...device, device: 'old' };
    server.seed([
      wireNode({ name: 'a' }),
      wireSlice('a', [old], 1),
      wireSlice('a', [device, { ...device, device: 'gpu-0-mig-1' }], 2),
      wireClaim('claim', [{ pool: 'a', device: 'gpu-0-mig-0' }], 'p'),
      wirePod({ name: 'p', node: 'a', claims: ['claim'] }),
      wirePod({ name: 'daemon', node: 'a' }),
    ]);
    const { dra, pods } = await api.read(signal);
    expect(dra?.devices.map((one) => [one.device, one.taken, one.attributes])).toEqual([
      ['gpu-0-mig-0', true, { type: 'mig', profile: '1g.24gb' }],
      ['gpu-0-mig-1', false, { type: 'mig', profile: '1g.24gb' }],
    ]);
    expect(dra?.claims).toMatchObject([{ name: 'claim', reservedFor: ['p'] }]);
    expect(pods.map(({ name }) => name).sort()).toEqual(['daemon', 'p']);
  });

  it.each([
    [404, ['v1', 'v1beta2', 'v1beta1']],
    [403, ['v1']],
  ])('%d: there is none for us, whichever versions were asked for', async (code, versions) => {
    const { api, server, close } = await serveCluster();
    onTestFinished(close);
    const asked: string[] = [];
    server.fault(({ path }) => {
      const at = /^\/apis\/resource\.k8s\.io\/(\w+)\/resourceslices/.exec(path)?.[1];
      if (at === undefined) return undefined;
      asked.push(at);
      return { kind: 'answer', code };
    });
    expect((await api.read(signal)).dra).toBeNull();
    const watch = await api.watch(signal);
    expect(watch.state().dra).toBeNull();
    await watch.close();
    expect(asked).toEqual([...versions, ...versions]);
  });

  it('v1beta1 has the attributes one level deeper', () => {
    const slice = readSlice({
      metadata: { name: 's' },
      spec: {
        driver: 'gpu.nvidia.com',
        nodeName: 'a',
        pool: { name: 'a', generation: 1 },
        devices: [
          {
            name: 'd',
            basic: { attributes: { type: { string: 'gpu' }, 'x.com/uuid': { string: 'GPU-1' } } },
          },
        ],
      },
    });
    expect(slice?.devices[0]).toMatchObject({ node: 'a', attributes: { type: 'gpu', uuid: 'GPU-1' } });
    expect(readSlice({ metadata: { name: 's' }, spec: { driver: 'nic', pool: { name: 'a' } } })).toBeNull();
  });

  it('who only looks after a device does not have it', () => {
    const result = { driver: 'gpu.nvidia.com', pool: 'a', device: 'd', adminAccess: true };
    const claim = {
      metadata: { name: 'c', namespace: 'n' },
      status: { allocation: { devices: { results: [result] } } },
    };
    expect(readClaim(claim).devices).toEqual([]);
  });
});
