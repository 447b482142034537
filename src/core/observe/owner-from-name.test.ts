import { describe, expect, it } from 'vitest';
import { ownerFromName } from './owner-from-name.js';

describe('the owner, guessed from the pod name', () => {
  it.each([
    ['cuda-75454ffb9f-8ljq7', 'Deployment', 'cuda'],
    ['llama-3-70b-5d8c7bdfc4-x2wqz', 'Deployment', 'llama-3-70b'],
    ['web-0', 'StatefulSet', 'web'],
    ['ray-worker-group-12', 'StatefulSet', 'ray-worker-group'],
    ['train-x7k2p', 'Job', 'train'],
    ['sweep-11-x7k2p', 'Job', 'sweep'],
    ['nightly-28941120-h4kzp', 'CronJob', 'nightly'],
    ['nightly-1700000000-h4kzp', 'CronJob', 'nightly'],
  ])('%s is of the %s %s', (pod, kind, name) => {
    expect(ownerFromName(pod)).toEqual({ kind, name, via: 'name' });
  });

  it.each(['notebook', 'jupyter-alice', 'train-llama', 'x', '', '-0'])('%j stands for itself', (pod) => {
    expect(ownerFromName(pod)).toBeNull();
  });
});
