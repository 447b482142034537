import { describe, expect, it } from 'vitest';
import { aPod } from '../../../../test/support/cluster-objects.js';
import { disturbedPods, holdersFromClaims, holdersFromRows, type Reach } from './disturbed.js';

const owner = { kind: 'ReplicaSet', name: 'web', uid: 'rs' };
const slice = { 'nvidia.com/mig-1g.10gb': 1 };
const pods = [
  aPod({ name: 'on-0', node: 'n', controller: owner, wants: slice }),
  aPod({ name: 'on-1', node: 'n', controller: owner, wants: slice }),
  aPod({ name: 'somewhere', node: 'n', controller: owner, wants: slice }),
  aPod({ name: 'no-gpu', node: 'n', controller: owner }),
  aPod({ name: 'daemon', node: 'n', controller: { ...owner, kind: 'DaemonSet' }, wants: slice }),
  aPod({ name: 'mirror', node: 'n', isMirror: true, wants: slice }),
  aPod({ name: 'over', node: 'n', phase: 'Succeeded', wants: slice }),
  aPod({ name: 'validator', namespace: 'gpu-operator', node: 'n', wants: slice }),
];
const holders = new Map([
  ['uid-on-0', [0]],
  ['uid-on-1', [1]],
]);
const named = (reach: Reach, known = holders): readonly string[] =>
  disturbedPods(pods, reach, known, 'gpu-operator').map(({ name }) => name);

describe('pods that a change disturbs', () => {
  it('are those of the GPU that is cut anew, and those of whom nobody knows', () => {
    expect(named({ gpus: [1], wholeNode: false, mayReboot: false })).toEqual(['on-1', 'somewhere']);
  });

  it('are all that use GPUs where nothing is known, or the whole node is meant', () => {
    expect(named({ gpus: [1], wholeNode: false, mayReboot: false }, new Map())).toEqual([
      'on-0',
      'on-1',
      'somewhere',
    ]);
    expect(named({ gpus: [1], wholeNode: true, mayReboot: false })).toEqual(['on-0', 'on-1', 'somewhere']);
  });

  it('are those without GPUs too where the node may reboot', () => {
    expect(named({ gpus: [1], wholeNode: true, mayReboot: true })).toEqual([
      'no-gpu',
      'on-0',
      'on-1',
      'somewhere',
    ]);
  });
});

describe('who holds which GPU', () => {
  it('is what claims say, and unknown of a pod that has something else too', () => {
    const device = { driver: 'gpu.nvidia.com', pool: 'n', node: 'n', attributes: {}, taken: true };
    const devices = [
      { ...device, device: 'gpu-0-mig-1g10gb-19-0' },
      { ...device, device: 'gpu-3' },
    ];
    const claims = devices.map((one, index) => ({
      namespace: 'default',
      name: `claim-${index}`,
      devices: [`gpu.nvidia.com/n/${one.device}`],
      reservedFor: [],
    }));
    const claiming = [
      aPod({ name: 'a', node: 'n', claims: ['claim-0', 'claim-1'] }),
      aPod({ name: 'b', node: 'n', claims: ['claim-1'], wants: slice }),
      aPod({ name: 'c', node: 'n', claims: ['gone'] }),
    ];
    expect([...holdersFromClaims('n', claiming, { devices, claims })]).toEqual([['uid-a', [0, 3]]]);
  });

  it('is what dcgm-exporter says of pods that are old enough and have a row for each device', () => {
    const rows = [
      { namespace: 'default', pod: 'a', host: 'n', gpuIndex: 2, slice: '7' },
      { namespace: 'default', pod: 'a', host: 'other', gpuIndex: 5, slice: '7' },
      { namespace: 'default', pod: 'b', host: 'exporter-xyz', gpuIndex: 1, slice: '' },
      { namespace: 'default', pod: 'young', host: 'n', gpuIndex: 1, slice: '9' },
    ];
    const running = [
      aPod({ name: 'a', node: 'n', wants: slice }),
      aPod({ name: 'b', node: 'other', wants: { 'nvidia.com/gpu': 2 } }),
      aPod({ name: 'young', node: 'n', wants: slice, createdMs: 900_000 }),
    ];
    expect([...holdersFromRows(running, rows, 1_000_000)]).toEqual([['uid-a', [2]]]);
  });
});
