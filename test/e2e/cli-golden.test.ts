/** Whole answers, byte for byte. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/e2e */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../tooling/clone.js';
import { runMica } from './run-mica.js';

/** File name -> what is typed. Paths start at the root of the project. */
const commands: Readonly<Record<string, string>> = {
  'size-one-card': 'size --memory 20GiB --gpu rtx-pro-6000',
  'size-shared': 'size --memory 4GiB --compute 0.1 --shared --count 8 --gpu h100',
  'size-p2p': 'size --memory 100GiB --gpus 2 --gpu h100',
  'size-too-big': 'size --memory 200GiB --gpu h100',
  'layout-check-yes': 'layout check h100 3g.40gb 3g.40gb',
  'layout-check-no': 'layout check h100 3g.40gb 3g.40gb 1g.10gb',
  'layout-check-misnomer': 'layout check --gpu rtx-pro-6000 3g.72gb',
  'layout-check-taken': 'layout check rtx-pro-6000 2g.48gb --taken 1g.24gb:3',
  'layout-check-json': 'layout check h100 3g.40gb:4,1g.10gb:0 --json',
  'layout-check-files': 'layout check -f fixtures/cli/layouts.yaml',
  'layout-draw-stranded': 'layout draw h100 1g.10gb:6 2g.20gb:2',
  'layout-list': 'layout list rtx-pro-6000',
  'layout-list-json': 'layout list a30 --json',
  'pack-closed-form': 'pack h100 3g.40gb=10 1g.10gb=25',
  'pack-short': 'pack rtx-pro-6000 2g.48gb=5 1g.24gb=9 --gpus 4',
  'pack-attributes': 'pack rtx-pro-6000 1g.24gb+me=3 1g.24gb=4',
  'plan-inference': 'plan -f data/demo/inference.yaml',
  'plan-openb': 'plan -f data/demo/fleet-h100.yaml -f data/openb/openb_pod_list_default.csv',
  'plan-refused-target': 'plan -f data/demo/inference.yaml --emit gke',
  'error-unknown-command': 'pakc h100',
  'error-unknown-option': 'pack h100 1g.10gb=1 --gpsu 3',
  'error-no-model': 'layout check 3g.40gb',
  'error-unknown-model': 'layout list h1000',
  'error-ambiguous-model': 'layout list h200',
  'error-negative-count': 'pack h100 1g.10gb=-3 --json',
  'error-mistakes': 'plan -f fixtures/cli/mistakes.yaml',
  'error-unknown-names': 'plan -f fixtures/cli/unknown-names.yaml',
  'error-csv-column': 'plan -f fixtures/cli/no-gpu-milli.csv',
  'error-no-file': 'plan -f nowhere.yaml',
};

const folder = join(root, 'test/golden/cli');
process.chdir(root);

it.each(Object.entries(commands))('%s', async (name, command) => {
  const { stdout, stderr, exit } = await runMica(command.split(' '));
  const shown = [
    `$ mica ${command}`,
    stdout.trimEnd(),
    ...(stderr === '' ? [] : ['', 'on standard error:', stderr.trimEnd()]),
  ];
  const wanted = `${shown.join('\n')}\n\nexit code ${exit}\n`;
  const file = join(folder, `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, wanted);
  expect(wanted).toBe(readFileSync(file, 'utf8'));
});

it('every golden file is of a command above', () => {
  const known = Object.keys(commands).map((name) => `${name}.txt`);
  const stale = readdirSync(folder).filter((file) => !known.includes(file));
  if (process.env['UPDATE_GOLDEN'] !== undefined) for (const file of stale) rmSync(join(folder, file));
  else expect(stale).toEqual([]);
});
