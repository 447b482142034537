import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emit } from '#engines/emit/emit';
import { temporaryFolder } from '../tooling/clone.js';
import { run } from '../tooling/run.js';
import { fill, gpu, h100, options, planOf, rtx } from './plans.js';

const owned = gpu('ip-10-0-0-1.internal', 0, rtx, '4g.96gb:0');
const rented = gpu('p5.4xlarge-1', 0, h100, '7g.80gb:0');
const plan = planOf({
  layouts: [owned, rented],
  assignment: fill('x', owned, rented),
  machines: [{ machineType: 'p5.4xlarge', count: 1, gpusEach: 1, usdPerHour: null }],
});

/** The emitted folder with a kubectl that notes what it is asked. */
function emittedFolder(): string {
  const emission = emit('gpu-operator', plan, options);
  if (!emission.ok) throw new Error(emission.why.message);
  const folder = temporaryFolder();
  for (const { path, content } of emission.files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  mkdirSync(join(folder, 'bin'));
  writeFileSync(
    join(folder, 'bin/kubectl'),
    `#!/bin/sh\nfor word; do echo "$word"; done >>'${folder}/asked'\n`,
    { mode: 0o755 },
  );
  return folder;
}

describe('label-nodes.sh', () => {
  it('patches owned nodes by their names and rented ones by the names given, from any folder', async () => {
    const folder = emittedFolder();
    const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` };
    const ran = await run('bash', [join(folder, 'label-nodes.sh'), 'p5.4xlarge-1=ip-9.internal'], {
      cwd: '/',
      env,
    });
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '' });
    const patch = (node: string, file: string) => [
      'patch',
      'node',
      node,
      '--type=merge',
      `--patch-file=node-labels/${file}`,
    ];
    expect(readFileSync(join(folder, 'asked'), 'utf8').trimEnd().split('\n')).toEqual([
      ...patch('ip-10-0-0-1.internal', 'ip-10-0-0-1-internal.json'),
      ...patch('ip-9.internal', 'p5-4xlarge-1.json'),
    ]);
  });

  it('touches no node while a rented one has no name', async () => {
    const folder = emittedFolder();
    const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` };
    const ran = await run('bash', [join(folder, 'label-nodes.sh')], { env });
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('add p5.4xlarge-1=CLUSTER-NODE') });
    expect(existsSync(join(folder, 'asked'))).toBe(false);
  });
});
