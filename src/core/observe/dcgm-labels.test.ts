import { describe, expect, it } from 'vitest';
import { deviceOfLabels, holderOfLabels, isRelabelledBy } from './dcgm-labels.js';

const labels = (values: Record<string, string>) => (name: string) => values[name];

describe('device', () => {
  it('is known under the old and the new name of the host label', () => {
    for (const name of ['Hostname', 'hostname', 'node']) {
      expect(deviceOfLabels(labels({ [name]: 'gpu-1', gpu: '3', UUID: 'GPU-a' }))).toMatchObject({
        host: 'gpu-1',
        gpuUuid: 'GPU-a',
        gpuIndex: 3,
        slice: null,
      });
    }
    expect(deviceOfLabels(labels({ instance: '10.0.0.7:9400', gpu: '0' })).host).toBe('10.0.0.7');
  });

  it('is a slice where its labels are there, and whole where they are empty', () => {
    const slice = { GPU_I_ID: '5', GPU_I_PROFILE: '2g.20gb' };
    expect(deviceOfLabels(labels({ gpu: '0', ...slice })).slice).toEqual({
      instanceId: 5,
      profile: '2g.20gb',
    });
    expect(deviceOfLabels(labels({ gpu: '0', GPU_I_ID: '', GPU_I_PROFILE: '' })).slice).toBeNull();
  });

  it('has the model that its product name means', () => {
    expect(deviceOfLabels(labels({ gpu: '0', modelName: 'NVIDIA H100 80GB HBM3' })).model).toBe(
      'h100-80gb-sxm',
    );
    expect(deviceOfLabels(labels({ gpu: '0', modelName: 'NVIDIA Unheard Of' })).model).toBeNull();
  });
});

describe('holder', () => {
  const pod = { kind: 'pod', namespace: 'ml', pod: 'bert-0', container: 'main' };

  it('is found under the present, the oldest and the moved names', () => {
    for (const [prefix, suffix] of [
      ['', ''],
      ['exported_', ''],
      ['', '_name'],
    ] as const) {
      const named = {
        [`${prefix}pod${suffix}`]: 'bert-0',
        [suffix === '' ? `${prefix}namespace` : 'pod_namespace']: 'ml',
        [`${prefix}container${suffix}`]: 'main',
      };
      expect(holderOfLabels(labels(named), false)).toEqual(pod);
    }
  });

  it("trap: the exporter's own pod holds nothing", () => {
    const own = { pod: 'exporter-x7k2p', namespace: 'monitoring', container: 'exporter' };
    const moved = { exported_pod: 'bert-0', exported_namespace: 'ml', exported_container: 'main' };
    expect(isRelabelledBy(labels({ ...own, ...moved }))).toBe(true);
    expect(isRelabelledBy(labels(own))).toBe(false);
    expect(holderOfLabels(labels({ ...own, ...moved }), true)).toEqual(pod);
    expect(holderOfLabels(labels(own), true)).toEqual({ kind: 'nobody' });
    const idle = labels({ pod: 'nvidia-dcgm-exporter-abcde', namespace: 'gpu-operator' });
    expect(holderOfLabels(idle, false)).toEqual({ kind: 'nobody' });
  });

  it('is nobody where labels are missing or empty', () => {
    expect(holderOfLabels(labels({ pod: '', namespace: '' }), false)).toEqual({ kind: 'nobody' });
    expect(holderOfLabels(labels({}), false)).toEqual({ kind: 'nobody' });
  });
});
