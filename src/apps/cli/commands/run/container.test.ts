import { expect, it } from 'vitest';
import { inContainer } from './container.js';

const one = [{ device: 'MIG-1' }];
const two = [{ device: 'MIG-1' }, { device: 'MIG-2' }];

it.each([
  ['docker run --rm image cmd', 'docker run --gpus device=MIG-1 --rm image cmd'],
  ['/usr/bin/docker --context x run image', '/usr/bin/docker --context x run --gpus device=MIG-1 image'],
  ['docker container run image run', 'docker container run --gpus device=MIG-1 image run'],
  ['--rm image docker run', 'docker run --gpus device=MIG-1 --rm image docker run'],
  ['image', 'docker run --gpus device=MIG-1 image'],
] as const)('docker: %s', (command, expected) => {
  const [program = '', ...args] = command.split(' ');
  expect(inContainer('docker', [program, ...args], one).join(' ')).toBe(expected);
});

it('several slices: quoted as CSV for docker, one device each for podman', () => {
  expect(inContainer('docker', ['docker', 'run', 'image'], two)).toEqual([
    'docker',
    'run',
    '--gpus',
    '"device=MIG-1,MIG-2"',
    'image',
  ]);
  expect(inContainer('podman', ['podman', 'run', 'image'], two).join(' ')).toBe(
    'podman run --device nvidia.com/gpu=MIG-1 --device nvidia.com/gpu=MIG-2 image',
  );
});
