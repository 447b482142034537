import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, temporaryFolder } from '../../../../../test/tooling/clone.js';
import { requires } from '../../../../../test/tooling/requires.js';
import { run } from '../../../../../test/tooling/run.js';
import { unitMark, unitName, unitText } from './service-unit.js';

const plain = { mica: ['/usr/local/bin/mica'], stateFolder: '/var/lib/mica' };
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

describe('the unit', () => {
  it('is the one in deploy/, for the usual paths', () => {
    const file = join(root, 'deploy/systemd', unitName);
    if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, unitText(plain));
    expect(readFileSync(file, 'utf8')).toBe(unitText(plain));
  });

  it('says who wrote it, runs once, after the driver and before whoever uses GPUs', () => {
    const lines = linesOf(unitText(plain));
    expect(lines[0]).toBe(unitMark);
    expect(lines).toContain('Type=oneshot');
    expect(lines).toContain('ExecStart=/usr/local/bin/mica node restore');
    expect(lines.find((line) => line.startsWith('After='))).toContain('nvidia-persistenced.service');
    const before = lines.filter((line) => line.startsWith('Before=')).join(' ');
    for (const unit of ['kubelet', 'containerd', 'docker', 'nvidia-dcgm']) {
      expect(before).toContain(`${unit}.service`);
    }
  });

  it('quotes what systemd would read as something else', () => {
    const odd = unitText({
      mica: ['/opt/$a b/node', '/opt/100%/$mica"\\'],
      stateFolder: '/srv/mica 1%',
      nvmlLibrary: 'libnvidia-ml.so.1',
    });
    const lines = linesOf(odd);
    expect(lines).toContain(
      'ExecStart="/opt/$a b/node" "/opt/100%%/$$mica\\"\\\\" node restore --nvml-lib libnvidia-ml.so.1',
    );
    expect(lines).toContain('Environment="MICA_STATE_DIR=/srv/mica 1%%"');
    expect(lines).toContain('ReadWritePaths="/srv/mica 1%%"');
    expect(lines).toContain('ConditionPathExists=/srv/mica 1%%/journal');
  });
});

const analyze = requires('systemd-analyze');

describe.skipIf(analyze.missing)(analyze.title('systemd understands the unit'), () => {
  it.each([
    ['usual paths', 'mica', 'state'],
    ['odd paths', 'a b $x 100%', 'state 1%'],
  ])('%s', async (_, program, state) => {
    const folder = temporaryFolder();
    const mica = join(folder, program);
    writeFileSync(mica, '#!/bin/sh\n');
    chmodSync(mica, 0o755);
    const unit = join(folder, unitName);
    writeFileSync(unit, unitText({ mica: [mica], stateFolder: join(folder, state) }));
    // Without man pages: a machine without man(1) has them unchecked, not missing.
    const { code, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit]);
    const own = stderr.split('\n').filter((line) => line.includes(unitName));
    expect({ code, own }).toEqual({ code: 0, own: [] });
  });
});
