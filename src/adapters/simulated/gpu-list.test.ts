import { describe, expect, it } from 'vitest';
import { parseGpuList } from './gpu-list.js';

describe('a list of simulated GPUs', () => {
  it.each([
    ['h100', ['h100-80gb-sxm']],
    [' h100:2 , t4:1', ['h100-80gb-sxm', 'h100-80gb-sxm', 't4-16gb']],
    ['NVIDIA A30:1', ['a30-24gb']],
    ['2BB5:1', ['rtx-pro-6000-blackwell-server']],
  ])('%s', (text, keys) => {
    const list = parseGpuList(text);
    expect(list.ok ? list.models.map(({ key }) => key) : list.why).toEqual(keys);
  });

  it.each([
    ['', 'nothing', 'write MODEL:COUNT'],
    ['h100,,a30', 'nothing', 'between its commas'],
    ['h100:', 'bad-count', 'write h100:1'],
    ['h100:0', 'bad-count', 'h100:0'],
    ['h100:-1', 'bad-count', 'h100:-1'],
    ['h100:two', 'bad-count', 'h100:two'],
    ['h100:1e3', 'bad-count', 'h100:1e3'],
    ['h100:1025', 'too-many', '1024'],
    ['h100:1000,a30:1000', 'too-many', '1024'],
    ['h10:1', 'unknown-model', 'h100'],
    ['a100:1', 'unknown-model', 'a100-40gb'],
    ['g4-standard-48:1', 'unknown-model', 'rtx-pro-6000-blackwell-server:COUNT'],
    ['rtx-pro-5000-blackwell-48gb:1', 'unmapped', 'never published'],
  ])('%s is refused as %s', (text, kind, words) => {
    const list = parseGpuList(text);
    expect(list.ok ? list.models : list.why).toMatchObject({ kind, message: expect.stringContaining(words) });
  });
});
