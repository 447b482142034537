/** What users of nvidia-mig-parted ask of every GPU model, on the double: made and exported as asked, or nothing touched. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readMigParted, type MigPartedEntry, type MigPartedFile } from '#apps/cli/documents/mig-parted';
import { findModel } from '#core/catalogue/find-model';
import type { MigModel } from '#core/catalogue/model';
import { isChanging } from '../native/fault-bed.js';
import { makeMachine, type DoubleMachine } from '../native/machine.js';
import { root } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';
import { runMica, type Ran } from './run-mica.js';

const cc = requires('cc');
const long = process.env['MICA_LONG'] === '1';
const fixture = join(root, 'fixtures/node/mig-parted-models.yaml');
const configs = fileOf(readFileSync(fixture, 'utf8'));
/** By index of the GPU; `null`: MIG off. */
type Counts = readonly (Readonly<Record<string, number>> | null)[];

const namedModels = modelsIn(configs);

describe.skipIf(cc.missing)(cc.title('every model that mig-parted files name'), () => {
  it('is in the catalogue', () => {
    expect(namedModels.map(({ key }) => key)).toContain('rtx-pro-6000-blackwell-server');
    expect(namedModels.length).toBeGreaterThan(15);
  });

  it.each(namedModels.map((model) => [model.key, model] as const))('%s', async (key, model) => {
    const { machine, node } = machineOf([key]);
    const asked = [...configs].flatMap(([config, entries]) => {
      const meant = entries.find((entry) => isMeant(entry, model));
      const isForAll = entries.every(({ devices }) => devices === 'all');
      return isForAll ? [{ config, meant, fits: meant !== undefined && fits(model, meant.counts) }] : [];
    });
    const [possible, impossible] = [asked.filter(({ fits }) => fits), asked.filter(({ fits }) => !fits)];
    expect(possible.map(({ config }) => config)).toContain('all-balanced');
    // Some of each: the next model asks for others.
    for (const { config, meant } of long ? impossible : everyNth(impossible, 12, key.length)) {
      const refused = await node('apply', '-f', fixture, '-c', config, '--yes', '--json');
      expect(refused.exit, `${config} ${refused.stdout}${refused.stderr}`).toBe(meant === undefined ? 2 : 1);
      if (meant !== undefined)
        expect(JSON.parse(refused.stdout)).toMatchObject({ outcome: 'refused', change: null });
    }
    expect(machine.calls().filter(isChanging)).toEqual([]);
    const some = [
      ...possible.filter(({ config }) => config === 'all-balanced'),
      ...everyNth(possible, 6, key.length),
    ];
    for (const { config, meant } of long ? possible : some) {
      const wanted = meant?.migEnabled === true ? meant.counts : null;
      await expectRoundTrip(node, config, [wanted]);
    }
  });

  it.each([
    [
      'mixed-eight',
      'a100-40gb',
      8,
      [
        null,
        null,
        null,
        null,
        { '1g.5gb': 7 },
        { '2g.10gb': 3 },
        { '3g.20gb': 2 },
        { '1g.5gb': 2, '2g.10gb': 1, '3g.20gb': 1 },
      ],
    ],
    [
      'custom-mig',
      'h100-80gb-sxm',
      4,
      [null, { '1g.10gb': 2 }, { '2g.20gb': 2, '3g.40gb': 1 }, { '3g.40gb': 1, '4g.40gb': 1 }],
    ],
  ] as const)('%s on %s: GPU by GPU', async (config, key, gpus, counts) => {
    const { node } = machineOf(Array.from({ length: gpus }, () => key));
    await expectRoundTrip(node, config, counts);
  });
});

type Node = (...args: readonly string[]) => Promise<Ran>;

/** Applied, it is as asked; exported, it says the same; and to that file the machine is equal. */
async function expectRoundTrip(node: Node, config: string, counts: Counts): Promise<void> {
  const applied = await node('apply', '-f', fixture, '-c', config, '--yes');
  expect(applied, `${config}: ${applied.stdout}${applied.stderr}`).toMatchObject({ exit: 0 });
  const exported = (await node('export', '--format', 'mig-parted', '-c', 'again')).stdout;
  expect(countsIn(fileOf(exported).get('again') ?? [], counts.length), config).toEqual(counts);
  const folder = mkdtempSync(join(tmpdir(), 'mica-models-'));
  writeFileSync(join(folder, 'exported.yaml'), exported);
  const asserted = await node('assert', '-f', join(folder, 'exported.yaml'), '-c', 'again');
  rmSync(folder, { recursive: true });
  expect(asserted, `${config}: ${asserted.stdout}`).toMatchObject({ exit: 0 });
}

function machineOf(keys: readonly string[]): { readonly machine: DoubleMachine; readonly node: Node } {
  const machine = makeMachine(keys.map((key) => ({ key })));
  // A reset is nvidia-smi's work.
  vi.stubEnv('PATH', `${machine.folder}:${process.env['PATH'] ?? ''}`);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    machine.remove();
  });
  const env = { MICA_STATE_DIR: join(machine.folder, 'mica') };
  return {
    machine,
    node: (...args) => runMica(['node', ...args, '--nvml-lib', machine.libraryPath], { env }),
  };
}

function fileOf(text: string): MigPartedFile {
  const read = readMigParted(text, 'file');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

function modelsIn(file: MigPartedFile): readonly MigModel[] {
  const filters = [...file.values()].flat().flatMap(({ deviceFilter = [] }) => deviceFilter);
  const found = [...new Set(filters)].map((filter) => findModel(filter.slice(2, 6)));
  const models = found.flatMap((one) => (one.ok && one.model.kind === 'mig' ? [one.model] : []));
  return [...new Map(models.map((model) => [model.key, model])).values()];
}

/** The double shows the first of a model's ids. */
function isMeant({ deviceFilter }: MigPartedEntry, { pciDeviceIds: [id = ''] }: MigModel): boolean {
  return deviceFilter?.some((filter) => filter.slice(2, 6).toUpperCase() === id) ?? true;
}

/** By trying every place: shares nothing with what decides in the product. */
function fits({ profiles, gridUnits }: MigModel, counts: Readonly<Record<string, number>>): boolean {
  const list = Object.entries(counts).flatMap(([name, count]) => Array<string>(count).fill(name));
  const place = (taken: readonly number[], [name, ...rest]: readonly string[]): boolean => {
    if (name === undefined) return true;
    const profile = profiles.find((one) => one.name === name);
    return (profile?.starts ?? []).some((start) => {
      const units = Array.from({ length: profile?.sizeUnits ?? 0 }, (_, unit) => start + unit);
      if (units.some((unit) => unit >= gridUnits || taken.includes(unit))) return false;
      return place([...taken, ...units], rest);
    });
  };
  const isTooOften = profiles.some(({ name, maxCount }) => (counts[name] ?? 0) > maxCount);
  return !isTooOften && place([], list);
}

function countsIn(entries: readonly MigPartedEntry[], gpus: number): Counts {
  return Array.from({ length: gpus }, (_, index) => {
    const entry = entries.find(({ devices }) => devices === 'all' || devices.includes(index));
    return entry?.migEnabled === true ? entry.counts : null;
  });
}

function everyNth<T>(list: readonly T[], step: number, offset: number): readonly T[] {
  return list.filter((_, index) => index % step === offset % step);
}
