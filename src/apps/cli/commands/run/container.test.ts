import { expect, it } from 'vitest';
import { inContainer } from './container.js';

const idFile = 'run/cid';
const one = { lease: 'abc', slices: [{ device: 'MIG-1' }], idFile };
const two = { ...one, slices: [{ device: 'MIG-1' }, { device: 'MIG-2' }] };
const known = '--cidfile run/cid --label mica.lease=abc --env MICA_LEASE=abc';

it.each([
  ['docker run --rm image cmd', 'docker', 'run --gpus device=MIG-1 KNOWN --rm image cmd'],
  [
    '/usr/bin/docker --context x run image',
    '/usr/bin/docker --context x',
    'run --gpus device=MIG-1 KNOWN image',
  ],
  ['docker container run image run', 'docker container', 'run --gpus device=MIG-1 KNOWN image run'],
  ['--rm image docker run', 'docker', 'run --gpus device=MIG-1 KNOWN --rm image docker run'],
  ['image', 'docker', 'run --gpus device=MIG-1 KNOWN image'],
] as const)('docker: %s', (command, engine, rest) => {
  const [program = '', ...args] = command.split(' ');
  const made = inContainer('docker', [program, ...args], one);
  expect(made.command.join(' ')).toBe(`${engine} ${rest.replace('KNOWN', known)}`);
  expect(made.engine.join(' ')).toBe(engine);
});

it('several slices: quoted as CSV for docker, one device each for podman', () => {
  expect(inContainer('docker', ['docker', 'run', 'image'], two).command).toEqual([
    'docker',
    'run',
    '--gpus',
    '"device=MIG-1,MIG-2"',
    ...known.split(' '),
    'image',
  ]);
  expect(inContainer('podman', ['podman', 'run', 'image'], two).command.join(' ')).toBe(
    `podman run --device nvidia.com/gpu=MIG-1 --device nvidia.com/gpu=MIG-2 ${known} image`,
  );
});
