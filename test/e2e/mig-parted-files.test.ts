/** mig-parted files: read as strictly as their own tool does, applied to every card, and exported to equal ones. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readMigParted } from '#apps/cli/documents/mig-parted';
import { root } from '../tooling/clone.js';
import { runMica } from './run-mica.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-mig-parted-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = join(root, 'fixtures/node/mig-parted.yaml');
const text = readFileSync(fixture, 'utf8');

const entry = (fields: string): string => `version: v1\nmig-configs: { a: [{ ${fields} }] }`;

describe('readMigParted', () => {
  it('reads every entry', () => {
    const read = readMigParted(text, 'file');
    expect(read.ok && read.value.get('all-balanced')?.[2]).toEqual({
      deviceFilter: ['0x2bb510de'],
      devices: 'all',
      migEnabled: true,
      counts: { '1g.24gb': 2, '2g.48gb': 1 },
    });
    expect(read.ok && read.value.get('mixed')?.[0]).toEqual({ devices: [0], migEnabled: false, counts: {} });
  });

  it.each([
    ['version alone', 'version: v1'],
    ['JSON', '{"version":"v1","mig-configs":{"a":[{"devices":"all","mig-enabled":false}]}}'],
    ['a filter as text', entry('device-filter: "0x2BB510DE", devices: all, mig-enabled: false')],
    ['MIG off with an empty map', entry('devices: all, mig-enabled: false, mig-devices: {}')],
    ['no devices at all', entry('devices: [], mig-enabled: false')],
    ['profiles that no card has', entry('devices: all, mig-enabled: true, mig-devices: { 0g.0gb: 100 }')],
    [
      'a count of none among others',
      entry('devices: all, mig-enabled: true, mig-devices: { 1g.5gb: 0, 2g.10gb: 1 }'),
    ],
    ['compute instances', entry('devices: all, mig-enabled: true, mig-devices: { 1c.3g.20gb: 3 }')],
  ])('takes %s', (_, file) => {
    expect(readMigParted(file, 'file')).toMatchObject({ ok: true });
  });

  it.each([
    ['no version', 'mig-configs: { a: [{ devices: all, mig-enabled: false }] }', 'version'],
    ['another version', 'version: v2\nmig-configs: { a: [{ devices: all, mig-enabled: false }] }', 'version'],
    ['no configuration', 'version: v1\nmig-configs: {}', 'mig-configs'],
    ['a configuration without entries', 'version: v1\nmig-configs: { a: [] }', 'mig-configs.a'],
    ['a strange key', 'version: v1\nbogus: 1', 'bogus'],
    [
      'a strange key in an entry',
      entry('devices: all, mig-enabled: false, bogus: 1'),
      'mig-configs.a[0].bogus',
    ],
    ['no devices', entry('mig-enabled: false'), 'mig-configs.a[0].devices'],
    ['devices of another word', entry('devices: some, mig-enabled: false'), 'mig-configs.a[0].devices'],
    ['devices as a map', entry('devices: {}, mig-enabled: false'), 'mig-configs.a[0].devices'],
    ['no mig-enabled', entry('devices: all'), 'mig-configs.a[0].mig-enabled'],
    ['mig-enabled as text', entry('devices: all, mig-enabled: "true"'), 'mig-configs.a[0].mig-enabled'],
    ['MIG on without slices', entry('devices: all, mig-enabled: true'), 'mig-configs.a[0].mig-devices'],
    [
      'MIG off with slices',
      entry('devices: all, mig-enabled: false, mig-devices: { 1g.5gb: 1 }'),
      'mig-configs.a[0].mig-devices',
    ],
    [
      'a profile that is none',
      entry('devices: all, mig-enabled: true, mig-devices: { bogus: 1 }'),
      'mig-configs.a[0].mig-devices',
    ],
    [
      'a count below zero',
      entry('devices: all, mig-enabled: true, mig-devices: { 1g.5gb: -1 }'),
      'mig-configs.a[0].mig-devices.1g.5gb',
    ],
    [
      'counts of nothing',
      entry('devices: all, mig-enabled: true, mig-devices: { 1g.5gb: 0 }'),
      'mig-configs.a[0].mig-devices',
    ],
    [
      'a filter of numbers',
      entry('device-filter: [3], devices: all, mig-enabled: false'),
      'mig-configs.a[0].device-filter',
    ],
    ['nothing', '', ''],
    ['a list', '[1]', ''],
    [
      'a mistake in a configuration that is not asked for',
      `${text}  broken:\n    - devices: all\n`,
      'mig-configs.broken[0].mig-enabled',
    ],
  ])('refuses %s', (_, file, path) => {
    const read = readMigParted(file, 'file');
    expect(read.ok ? [] : read.problems.map((problem) => problem.path)).toContain(path);
  });
});

describe('a round trip', () => {
  let machines = 0;
  const newMachine = (gpus: string) => {
    const state = join(folder, `machine-${(machines += 1)}.json`);
    let isNew = true;
    return async (...args: readonly string[]) => {
      const more = isNew ? ['--gpus', gpus] : [];
      isNew = false;
      return runMica(['node', ...args, '--driver', 'simulated', '--state', state, ...more]);
    };
  };

  it.each([
    ['h100:2', ['all-disabled', 'all-enabled', 'all-1g.10gb', 'all-balanced', 'mixed']],
    ['a100-40gb:2', ['all-disabled', 'all-enabled', 'all-1g.10gb', 'all-balanced']],
    ['rtx-pro-6000:2', ['all-enabled', 'all-1g.24gb-me', 'with-media', 'all-balanced']],
    ['h100,a100-40gb', ['all-1g.10gb', 'all-balanced']],
  ])('%s: what was applied is exported, and means the same to another machine', async (gpus, configs) => {
    const node = newMachine(gpus);
    for (const config of configs) {
      const applied = await node('apply', '-f', fixture, '-c', config, '--yes');
      expect(applied).toMatchObject({ exit: 0, stderr: '' });
      const file = join(folder, `exported-${machines}-${config}.yaml`);
      writeFileSync(file, (await node('export', '--format', 'mig-parted', '-c', 'again')).stdout);
      expect(readMigParted(readFileSync(file, 'utf8'), file).ok).toBe(true);
      expect(await node('assert', '-f', file, '-c', 'again')).toMatchObject({ exit: 0 });
      const other = newMachine(gpus);
      expect(await other('apply', '-f', file, '-c', 'again')).toMatchObject({ exit: 0 });
      expect(await other('assert', '-f', fixture, '-c', config)).toMatchObject({ exit: 0 });
      const exported = await other('export', '--format', 'mig-parted', '-c', 'again');
      expect(exported.stdout).toBe(readFileSync(file, 'utf8'));
    }
  });

  it.each([
    ['a100-40gb', 'all-1g.24gb-me'],
    ['h100', 'impossible'],
    ['t4', 'all-enabled'],
  ])('%s cannot be %s: refused before anything is touched', async (gpu, config) => {
    const node = newMachine(gpu);
    const before = (await node('show', '--json')).stdout;
    const { stdout, exit } = await node('apply', '-f', fixture, '-c', config, '--yes', '--json');
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'refused', change: null });
    expect((await node('show', '--json')).stdout).toBe(before);
    expect((await node('history')).stdout).toContain('nothing was changed');
  });
});
