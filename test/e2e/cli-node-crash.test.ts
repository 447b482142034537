/**
 * `kill -9` at random moments of `mica node apply`, as real processes on a simulated machine: after `restore` each GPU
 * holds exactly the layout before or exactly the layout wanted. MICA_LONG=1 for many rounds.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import { layoutOf, spaceOf } from '#core/geometry/space';
import { statesOf } from '#core/geometry/states';
import { randomFrom } from '../../bench/random.js';
import { root } from '../tooling/clone.js';

const mica = join(root, 'bin/mica');
const folder = mkdtempSync(join(tmpdir(), 'mica-crash-'));
afterAll(() => rmSync(folder, { recursive: true }));
const rounds = process.env['MICA_LONG'] === '1' ? 100 : 5;
const gpus = 4;

interface Slice {
  readonly profile: string;
  readonly start: number;
}

const state = join(folder, 'machine.json');
const common = ['--driver', 'simulated', '--state', state];
const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, [mica, 'node', ...args, ...common], { encoding: 'utf8', cwd: folder });

// The first start after a change builds the sources.
beforeAll(() => void run('show', '--gpus', `h100:${gpus}`), 60_000);

it(
  `${rounds} rounds: exactly the one layout or exactly the other, on every GPU`,
  { timeout: 60_000 + rounds * 10_000 },
  async () => {
    const random = randomFrom(20_261_123).uniform;
    let killed = 0;
    let interrupted = 0;
    let before = layoutsNow();
    for (let round = 0; round < rounds; round += 1) {
      const wanted = Array.from({ length: gpus }, () => randomLayout(random));
      const file = layoutFile(`wanted-${round}`, wanted);
      const child = spawn(
        process.execPath,
        [mica, 'node', 'apply', '-f', file, '--yes', ...common, '--latency', '0.3'],
        { cwd: folder, stdio: 'ignore' },
      );
      const ended = new Promise<NodeJS.Signals | null>((resolve) => {
        child.once('exit', (_, signal) => resolve(signal));
      });
      const timer = setTimeout(() => child.kill('SIGKILL'), 150 + random() * 1_500);
      if ((await ended) === 'SIGKILL') killed += 1;
      clearTimeout(timer);
      const { status, stdout, stderr } = run('restore', '--json');
      expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
      interrupted += (JSON.parse(stdout) as { readonly resumed: readonly unknown[] }).resumed.length;
      const after = layoutsNow();
      for (const [index, layout] of after.entries()) {
        expect([textOf(before[index]), textOf(wanted[index])]).toContain(textOf(layout));
      }
      expect(run('restore', '--json').status).toBe(0);
      expect(layoutsNow()).toEqual(after);
      before = after;
    }
    // Not every moment is within the change; some of many must be.
    if (rounds > 20) expect(interrupted).toBeGreaterThan(0);
    expect(killed).toBeGreaterThan(0);
  },
);

/** `null`: MIG off. */
type GpuLayout = readonly Slice[] | null;

function layoutsNow(): readonly GpuLayout[] {
  const shown = JSON.parse(run('show', '--json').stdout);
  return shown.gpus.map((gpu: { mig: { current: boolean }; slices: readonly Slice[] }) =>
    gpu.mig.current ? gpu.slices.map(({ profile, start }) => ({ profile, start })) : null,
  );
}

function textOf(layout: GpuLayout | undefined): string {
  return layout?.map(({ profile, start }) => `${profile}:${start}`).join() ?? 'off';
}

function layoutFile(name: string, wanted: readonly GpuLayout[]): string {
  const file = join(folder, `${name}.json`);
  const spec = { gpus: wanted.map((placements, index) => ({ node: 'here', index, placements })) };
  writeFileSync(file, JSON.stringify({ apiVersion: 'mica/v1', kind: 'Layout', spec }));
  return file;
}

function randomLayout(random: () => number): readonly Slice[] {
  const model = modelByKey('h100-80gb-sxm');
  if (model?.kind !== 'mig') throw new Error('the catalogue has no H100');
  const space = spaceOf(model);
  const states = statesOf(space);
  const slots = states[Math.floor(random() * states.length)]?.slots ?? [];
  return layoutOf(space, slots).map(({ profile, start }) => ({ profile, start }));
}
