import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { defaultPrices } from '#core/cost/default-prices';
import { MicaError } from '#core/errors';
import { readConfig } from './config.js';
import { readInputs, type Inputs } from './inputs.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function read(...files: readonly string[]): Promise<Inputs> {
  return readInputs(files, defaultPrices);
}

async function failureOf(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof MicaError)) throw new Error(`no MicaError: ${String(error)}`);
  return { code: error.code, message: error.message };
}

const fleet = file(
  'fleet.yaml',
  'apiVersion: mica/v1\nkind: Fleet\nspec: { nodes: [{ name: a, model: h100, gpus: 1 }], rent: [{ machineType: ours }] }',
);
const prices = file(
  'prices.yaml',
  'apiVersion: mica/v1\nkind: Prices\nspec: { prices: [{ machineType: ours, usdPerHour: 1, model: t4, gpus: 2 }] }',
);
const needs = file(
  'needs.json',
  '{"apiVersion":"mica/v1","kind":"Needs","spec":{"needs":[{"name":"n","gpus":2}]}}',
);
const trace = file('pods.csv', 'name,num_gpu,gpu_milli\np,1,500\n');

describe('readInputs', () => {
  it('puts documents and traces of any mix together', async () => {
    const inputs = await read(fleet, needs, trace, prices);
    expect(inputs.fleet.rent).toEqual([{ machineType: 'ours' }]);
    expect(inputs.needs.map(({ name }) => name)).toEqual(['share-500', 'n']);
    expect(inputs.notes.join()).toContain('memory is not in the trace');
  });

  it('shows what is wrong in all files at once', async () => {
    const first = file('one.yaml', 'kind: Need');
    const second = file(
      'two.yaml',
      'apiVersion: mica/v1\nkind: Needs\nspec: { needs: [{ name: n, gpus: 0 }] }',
    );
    const { code, message } = await failureOf(read(first, second));
    expect(code).toBe('bad-document');
    expect(message).toContain('one.yaml:1:7 kind');
    expect(message).toContain('two.yaml:3:34 spec.needs[0].gpus');
  });

  it.each([
    ['no such file', () => join(folder, 'nowhere.yaml'), 'unreadable-file', 'no such file'],
    ['a folder', () => folder, 'unreadable-file', 'it is a folder'],
    ['an endless device', () => '/dev/zero', 'file-too-large', 'larger than 16 MiB'],
    [
      'Latin-1',
      () => file('latin.yaml', Uint8Array.of(0x61, 0x3a, 0x20, 0xe9)),
      'unreadable-file',
      'not UTF-8 text',
    ],
    [
      'two megabytes of YAML',
      () => file('big.yaml', 'a: b\n'.repeat(400_000)),
      'file-too-large',
      'has 1.9 MiB',
    ],
    [
      'a CSV without its column',
      () => file('bad.csv', 'name,num_gpu\np,1\n'),
      'bad-csv',
      'has no column gpu_milli',
    ],
    ['an unknown machine type', () => fleet, 'bad-document', "no machine type 'ours' is known"],
  ])('refuses %s', async (_, path, code, message) => {
    expect(await failureOf(read(path()))).toEqual({ code, message: expect.stringContaining(message) });
  });

  it('refuses a second trace with the same needs, and a third standard input', async () => {
    expect(await failureOf(read(trace, trace))).toMatchObject({
      message: expect.stringContaining('share-500'),
    });
    expect(await failureOf(read('-', '-'))).toMatchObject({ code: 'bad-usage' });
  });
});

describe('readConfig', () => {
  it('reads the file that $MICA_CONFIG names; paths in it start at its folder', async () => {
    const path = file('mica.yaml', 'headroom: 0.2\nprices: prices.yaml\nspeeds: { h100: 2 }');
    expect(await readConfig({ MICA_CONFIG: path })).toEqual({ headroom: 0.2, prices, speeds: { h100: 2 } });
  });

  it.each([
    ['headroom: 20', 'headroom: must be a share from 0 to 2, got 20'],
    ['headrom: 0.1', 'headrom: unknown key; did you mean headroom?'],
    ['prometheusUrl: localhost', 'prometheusUrl: must be an http or https address'],
    ['speeds: { h100: 0 }', 'speeds.h100: must be a number above 0, got 0'],
    ['a: 1\n---\nb: 2', 'several documents'],
  ])('refuses %j', async (content, message) => {
    const path = file('bad-config.yaml', content);
    expect((await failureOf(readConfig({ MICA_CONFIG: path }))).message).toContain(message);
  });

  it('an empty file says nothing, and a file that was named must be there', async () => {
    expect(await readConfig({ MICA_CONFIG: file('empty.yaml', '# nothing') })).toEqual({});
    expect(await failureOf(readConfig({ MICA_CONFIG: join(folder, 'gone.yaml') }))).toMatchObject({
      code: 'unreadable-file',
    });
  });
});
