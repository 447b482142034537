import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import { checksOf, isAtLeast } from './checks.js';
import type { SeenGpu } from './see-gpus.js';

function seen(key: string, more: Partial<SeenGpu['info']> = {}, rest: Partial<SeenGpu> = {}): SeenGpu {
  const model = modelByKey(key) ?? null;
  const mig = model?.kind === 'mig' ? { current: false, pending: false } : null;
  const info = {
    index: 0,
    uuid: 'GPU-1',
    name: model?.name ?? key,
    pciBusId: '00000000:10:00.0',
    pciDeviceId: 'FFFF',
    pciSubsystemId: null,
    driverVersion: '580.65.06',
    vbiosVersion: '98.02.6B.00.01',
    memoryMiB: null,
    mig,
    ...more,
  };
  return { info, model, card: null, instances: [], processes: [], troubles: [], ...rest };
}

function verdicts(gpu: SeenGpu, kernel: Parameters<typeof checksOf>[1] = null): Record<string, string> {
  return Object.fromEntries(checksOf(gpu, kernel).map(({ check, verdict }) => [check, verdict]));
}

describe('isAtLeast', () => {
  it.each([
    ['525.85.12', '525.85.12', 10, true],
    ['525.85.5', '525.85.12', 10, false],
    ['535.1', '525.85.12', 10, true],
    ['525', '525.85.12', 10, false],
    ['575.51.03', '575.64', 10, false],
    ['610.43.02', '575.64', 10, true],
    ['98.02.6A.00.00', '98.02.55.00.00', 16, true],
    ['98.02.5F.00.00', '98.02.6A.00.00', 16, false],
    ['98.02.a0.00.00', '98.02.6A.00.00', 16, true],
  ] as const)('%s, at least %s in base %d: %j', (version, least, base, answer) => {
    expect(isAtLeast(version, least, base)).toBe(answer);
  });
});

describe('checksOf', () => {
  it('finds nothing wrong with a card that can be cut', () => {
    expect(verdicts(seen('h100-80gb-sxm'))).toEqual({ mig: 'ok', driver: 'ok', idle: 'ok' });
  });

  it('finds an old driver, an old vBIOS, the closed modules and a display mode that nobody knows', () => {
    const card = seen('rtx-pro-6000-blackwell-maxq', {
      driverVersion: '570.172.08',
      vbiosVersion: '98.02.55.00.00',
    });
    const found = checksOf(card, { isOpen: false, hasDrm: true });
    expect(verdicts(card, { isOpen: false, hasDrm: true })).toEqual({
      mig: 'ok',
      driver: 'bad',
      vbios: 'bad',
      'display-mode': 'unknown',
      'kernel-modules': 'bad',
      idle: 'ok',
    });
    for (const { verdict, fix } of found) expect(fix === undefined).toBe(verdict === 'ok');
  });

  it('nvidia_drm matters where switching needs a reset', () => {
    expect(verdicts(seen('a100-40gb'), { isOpen: null, hasDrm: true })).toMatchObject({ reset: 'warn' });
    expect(verdicts(seen('a100-40gb'), { isOpen: null, hasDrm: false })).not.toHaveProperty('reset');
    expect(verdicts(seen('h100-80gb-sxm'), { isOpen: null, hasDrm: true })).not.toHaveProperty('reset');
  });

  it('a mode that waits, a GPU that is held, a slice that nothing can use, a driver that does not answer', () => {
    const mig = { current: false, pending: true };
    const processes = [
      { pid: 1, name: 'nv-hostengine', usedMiB: 1, instanceId: null },
      { pid: 2, name: null, usedMiB: null, instanceId: null },
    ];
    const found = checksOf(seen('h100-80gb-sxm', { mig }, { processes, troubles: ['lost'] }), null);
    expect(found.find(({ check }) => check === 'idle')?.fix).toMatch(/stop DCGM.*; end the processes/);
    expect(found.find(({ check }) => check === 'pending-mode')?.verdict).toBe('warn');
    expect(found.find(({ check }) => check === 'answers')?.verdict).toBe('bad');
    const empty = {
      id: 1,
      profileId: 19,
      placement: { profile: '1g.10gb', start: 0, size: 1 },
      computeInstances: [],
      memory: null,
    };
    const cut = seen('h100-80gb-sxm', { mig: { current: true, pending: true } }, { instances: [empty] });
    expect(verdicts(cut)).toEqual({ mig: 'ok', driver: 'ok', slices: 'warn' });
  });

  it('a card without MIG is fine as it is; one that hides its MIG is not', () => {
    expect(verdicts(seen('t4-16gb'))).toEqual({ mig: 'ok' });
    expect(verdicts(seen('h100-80gb-sxm', { mig: null }))).toEqual({ mig: 'bad' });
  });

  it('a card that nobody has heard of is judged by its driver alone', () => {
    const mig = { current: false, pending: false };
    expect(verdicts(seen('rubin', { mig }))).toEqual({ mig: 'ok', driver: 'unknown', idle: 'ok' });
  });
});
