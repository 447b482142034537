import { describe, expect, it } from 'vitest';
import { believe, type Reading } from './believe.js';
import { readingOf, spellingsOf } from './metric-names.js';

describe('trap: values that cannot be', () => {
  it.each<[Reading, number | string, number | string]>([
    ['memory', '18723', 18723],
    ['memory', 0, 0],
    ['memory', '-0', 0],
    ['memory', '1.8723e4', 18723],
    ['memory', '9223372036854775794', 'sentinel'],
    ['memory', 2 ** 64, 'sentinel'],
    ['memory', '9223372036854775792', 'sentinel'],
    ['memory', 2147483647, 'sentinel'],
    ['memory', 'ERROR - FAILED TO CONVERT TO STRING', 'text'],
    ['memory', '', 'text'],
    ['memory', '0x10', 'text'],
    ['memory', '12 MiB', 'text'],
    ['memory', 'NaN', 'notFinite'],
    ['memory', NaN, 'notFinite'],
    ['memory', '+Inf', 'notFinite'],
    ['memory', -Infinity, 'notFinite'],
    ['memory', -1, 'negative'],
    ['utilization-percent', '47', 0.47],
    ['utilization-percent', '9223372036854775794', 'sentinel'],
    ['sm-active', '0.4', 0.4],
    ['sm-active', 2.01, 'sentinel'],
  ])('%s %j is %j', (reading, raw, answer) => {
    expect(believe(reading, raw)).toBe(answer);
  });

  it('trap: SM_ACTIVE of a slice over 1 is clamped', () => {
    expect(believe('sm-active', 1.294)).toBe(1);
    expect(believe('utilization-percent', 104)).toBe(1);
  });
});

describe('trap: metric names', () => {
  it.each([
    ['DCGM_FI_DEV_FB_USED', 'memory'],
    ['DCGM_FI_PROF_SM_ACTIVE', 'sm-active'],
    ['DCGM_FI_PROF_SM_UTIL_RATIO', 'sm-active'],
    ['DCGM_FI_PROF_GR_ENGINE_ACTIVE', 'gr-engine'],
    ['DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO', 'gr-engine'],
    ['DCGM_FI_DEV_GPU_UTIL', 'utilization-percent'],
    ['prometheus.googleapis.com/DCGM_FI_DEV_FB_USED/gauge', 'memory'],
    ['prometheus_googleapis_com:DCGM_FI_PROF_SM_ACTIVE_gauge', 'sm-active'],
  ])('%s is %s', (name, reading) => expect(readingOf(name)).toBe(reading));

  it.each([
    ...['DCGM_FI_DEV_MEM_COPY_UTIL', 'DCGM_FI_PROF_DRAM_ACTIVE', 'DCGM_FI_PROF_DRAM_UTIL_RATIO'],
    ...['DCGM_FI_DEV_FB_FREE', 'DCGM_FI_DEV_FB_RESERVED', 'DCGM_FI_DEV_FB_USED_PERCENT'],
    ...['DCGM_FI_DEV_SM_CLOCK', 'DCGM_FI_DEV_POWER_USAGE', 'DCGM_FI_DEV_XID_ERRORS', 'toString'],
  ])('%s is not read: it is no footprint, no activity of a slice, or of the whole board', (name) => {
    expect(readingOf(name)).toBeNull();
  });

  it('are spelled in three ways', () => {
    expect(spellingsOf('X')).toEqual([
      'X',
      'prometheus.googleapis.com/X/gauge',
      'prometheus_googleapis_com:X_gauge',
    ]);
  });
});
