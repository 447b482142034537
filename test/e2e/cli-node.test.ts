/** `mica node` on simulated GPUs, as one sees it: each golden file is a session on one machine, command by command. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inFile } from '#adapters/simulated/state-store';
import { simulatedDriver } from '#adapters/simulated/driver';
import { simulatedMachine } from '#adapters/simulated/machine';
import { lockFiles } from '#adapters/system/lock-files';
import { systemClock } from '#adapters/system/clock';
import { root } from '../tooling/clone.js';
import { runMica, type Ran } from './run-mica.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-node-'));
afterAll(() => rmSync(folder, { recursive: true }));
process.chdir(root);

/** A simulated machine in a file of its own, and the commands on it. */
function machine(name: string, gpus: string) {
  const state = join(folder, `${name}.json`);
  const env = { MICA_STATE_DIR: join(folder, name) };
  const node = async (line: string, more: readonly string[] = []): Promise<Ran> => {
    const [command = '', ...rest] = line.split(' ').filter((word) => word !== '');
    return runMica(['node', command, ...rest, '--driver', 'simulated', '--state', state, ...more], { env });
  };
  const made = node('show', ['--gpus', gpus]);
  const store = async () => {
    await made;
    return inFile({ path: state, locks: lockFiles(`${state}.locks`), clock: systemClock });
  };
  return {
    state,
    node: async (line: string) => {
      await made;
      return node(line);
    },
    json: async (line: string) => {
      await made;
      return JSON.parse((await node(`${line} --json`)).stdout);
    },
    /** What stands on each GPU: `1g.10gb:0,3g.40gb:4`, or `off`. */
    layouts: async (): Promise<readonly string[]> => {
      const driver = simulatedDriver({ store: await store(), clock: systemClock, latencyScale: 0 });
      const infos = await driver.gpus();
      if (!infos.ok) throw new Error(infos.why.message);
      return Promise.all(
        infos.value.map(async ({ uuid, mig }) => {
          const instances = await driver.instances(uuid);
          if (mig?.current !== true || !instances.ok) return 'off';
          const places = instances.value.map(({ placement }) => placement);
          return places
            .sort((a, b) => a.start - b.start)
            .map(({ profile, start }) => `${profile}:${start}`)
            .join();
        }),
      );
    },
    /** A process in the slice that starts there, or on the whole GPU. */
    occupy: async (
      index: number,
      start: number | null,
      client: { pid: number; name: string; usedMiB: number },
    ) => {
      const opened = await store();
      const gpu = (await opened.read()).gpus[index];
      const instance = gpu?.instances.find((one) => one.start === start);
      await simulatedMachine(opened).addClient(gpu?.uuid ?? '', {
        ...client,
        instanceId: start === null ? null : (instance?.id ?? -1),
      });
    },
    remove: async (index: number, pid: number) => {
      const opened = await store();
      const gpu = (await opened.read()).gpus[index];
      await simulatedMachine(opened).removeClient(gpu?.uuid ?? '', pid);
    },
    /** By another tool than Mica. */
    createForeign: async (index: number, profileId: number, start: number) => {
      const opened = await store();
      const driver = simulatedDriver({ store: opened, clock: systemClock, latencyScale: 0 });
      const uuid = (await opened.read()).gpus[index]?.uuid ?? '';
      await driver.setMigMode(uuid, true);
      const made = await driver.createGpuInstance(uuid, profileId, start);
      if (!made.ok) throw new Error(made.why.message);
      await driver.createComputeInstance(uuid, made.value.id);
    },
    reboot: async () => simulatedMachine(await store()).reboot(),
  };
}

const goldens = join(root, 'test/golden/node');
const told = new Set<string>();

/** Holds a session equal to its golden file. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/e2e */
async function session(
  name: string,
  { node }: Pick<ReturnType<typeof machine>, 'node'>,
  steps: readonly (string | (() => Promise<unknown>))[],
): Promise<void> {
  const shown: string[] = [];
  for (const step of steps) {
    if (typeof step !== 'string') {
      await step();
      continue;
    }
    const { stdout, stderr, exit } = await node(step);
    const errors = stderr === '' ? '' : `on standard error:\n${stderr}`;
    shown.push(`$ mica node ${step}\n${stdout}${errors}exit code ${exit}\n`);
  }
  const text = shown
    .join('\n')
    .replaceAll(folder, 'FOLDER')
    .replaceAll(` ${hostname()}`, ' HOST')
    // The name of a change begins with the time.
    .replaceAll(/"atMs":\d+/g, '"atMs":TIME')
    .replaceAll(/\b\d{15}-GPU-[0-9a-f-]+/g, 'CHANGE')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME');
  told.add(`${name}.txt`);
  const file = join(goldens, `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

const migParted = 'fixtures/node/mig-parted.yaml';
const bert = { pid: 4_211_111, name: 'python', usedMiB: 8000 };

describe('sessions', () => {
  it('show', async () => {
    const h100 = machine('show', 'h100:2,t4,a100-40gb');
    await session('show', h100, [
      'show',
      'apply -f fixtures/node/layout.yaml',
      () => h100.occupy(0, 4, bert),
      () => h100.occupy(0, 4, { ...bert, pid: 4_211_112 }),
      () => h100.occupy(2, null, { pid: 4_211_113, name: 'Xorg', usedMiB: 200 }),
      'show',
    ]);
  });

  it('apply', async () => {
    const h100 = machine('apply', 'h100:2');
    await session('apply', h100, [
      'apply -f fixtures/node/layout.yaml --dry-run',
      'apply -f fixtures/node/layout.yaml --node here',
      'apply -f fixtures/node/layout.yaml --node here',
      `apply -f ${migParted} -c all-balanced`,
      `apply -f ${migParted} -c all-balanced --yes`,
      () => h100.occupy(0, 4, bert),
      `apply -f ${migParted} -c all-disabled --yes`,
      `apply -f ${migParted} -c all-disabled --yes --keep-going`,
      `apply -f ${migParted} -c impossible --yes`,
      `apply -f ${migParted} -c beyond --yes`,
      'show',
    ]);
    expect(await h100.layouts()).toEqual([
      '3g.40gb:4,1g.10gb:0,2g.20gb:2,1g.10gb:1'.split(',').sort(byStart).join(),
      'off',
    ]);
  });

  it('what is not ours', async () => {
    const rtx = machine('foreign', 'rtx-pro-6000');
    await rtx.createForeign(0, 14, 3);
    await session('foreign', rtx, [
      'show',
      `apply -f ${migParted} -c all-1g.24gb-me --yes`,
      `apply -f ${migParted} -c all-1g.24gb-me --may-destroy 0/1g.24gb:0 --yes`,
      `apply -f ${migParted} -c all-1g.24gb-me --may-destroy 0/1g.24gb:3`,
      `apply -f ${migParted} -c all-1g.24gb-me --may-destroy 0/1g.24gb:3 --yes`,
    ]);
  });

  it('assert, export, clear', async () => {
    const mixed = machine('assert', 'h100:2,t4');
    await session('assert-export-clear', mixed, [
      'export',
      'export --format mig-parted',
      `assert -f ${migParted} -c mixed`,
      `apply -f ${migParted} -c mixed`,
      `assert -f ${migParted} -c mixed`,
      `assert -f ${migParted} -c mixed --json`,
      `assert -f ${migParted} -c all-1g.10gb`,
      `assert -f ${migParted} -c impossible`,
      'export --node gpu-1',
      'export --format mig-parted -c mine',
      'clear',
      'clear --dry-run',
      'clear --yes',
      'clear --yes',
      'clear --only 1 --mig-off',
      'clear --only 0,2',
      'clear --only 9',
      'clear --only first',
    ]);
  });

  it('history, undo, restore', async () => {
    const h100 = machine('history', 'h100:2');
    await session('history-undo-restore', h100, [
      'history',
      'undo',
      'restore',
      'apply -f fixtures/node/layout.yaml --node here',
      `apply -f ${migParted} -c all-1g.10gb --keep-going --yes`,
      'history',
      'undo --dry-run',
      'undo',
      'undo --yes',
      'export --node here',
      'undo no-such-change --yes',
      'restore',
      () => h100.reboot(),
      'show',
      'restore',
      `assert -f fixtures/node/layout.yaml --node here`,
      'restore --json',
    ]);
  });

  it('doctor and metrics', async () => {
    const mixed = machine('doctor', 'h100,t4,rtx-pro-6000-blackwell-workstation');
    await session('doctor-metrics', mixed, [
      'doctor',
      () => mixed.occupy(0, null, { pid: 4_211_120, name: 'nv-hostengine', usedMiB: 10 }),
      () => mixed.occupy(2, null, { pid: 4_211_121, name: 'Xorg', usedMiB: 100 }),
      'doctor',
      'apply -f fixtures/node/one-gpu.yaml',
      () => mixed.remove(0, 4_211_120),
      'apply -f fixtures/node/one-gpu.yaml',
      () => mixed.occupy(0, 0, { ...bert, name: 'a "quoted" name' }),
      'doctor --json',
      'metrics',
    ]);
  });

  it('files that say nothing about this machine', async () => {
    await session('mistakes', machine('mistakes', 'h100:1'), [
      'apply',
      `apply -f ${migParted}`,
      `apply -f ${migParted} -c all-7g`,
      `apply -f ${migParted} -c other-cards`,
      'apply -f fixtures/node/layout.yaml --node elsewhere',
      'apply -f fixtures/node/layout.yaml -c x',
      'apply -f fixtures/cli/layouts.yaml',
      'apply --plan fixtures/node/layout.yaml',
      `apply -f ${migParted} -c mixed --kill`,
      `apply -f ${migParted} -c mixed --drain soon`,
      `apply -f ${migParted} -c mixed --may-destroy everything`,
      'show --nvml-lib x',
      'show --gpus h100:2',
    ]);
  });
});

function byStart(a: string, b: string): number {
  return Number(a.split(':')[1]) - Number(b.split(':')[1]);
}

describe('apply', () => {
  it('takes the entries of a plan that are for this machine', async () => {
    const fleet = join(folder, 'fleet.yaml');
    writeFileSync(
      fleet,
      `
apiVersion: mica/v1
kind: Fleet
spec: { nodes: [{ name: n1, model: h100, gpus: 1 }, { name: n2, model: h100, gpus: 1 }] }
---
apiVersion: mica/v1
kind: Needs
spec: { needs: [{ name: a, count: 2, memory: 30GiB }, { name: whole, gpus: 1, p2p: true, memory: 9GiB }] }
`,
    );
    const plan = join(folder, 'h100-plan.json');
    writeFileSync(plan, (await runMica(['plan', '-f', fleet, '--json'])).stdout);
    const { layouts } = JSON.parse(readFileSync(plan, 'utf8'));
    const cut = layouts.find((layout: { mig: boolean }) => layout.mig);
    const h100 = machine('plan', 'h100:1');
    expect(await h100.json(`apply --plan ${plan} --node ${cut.node}`)).toMatchObject({
      outcome: 'done',
      gpus: [{ index: 0, outcome: 'done', kept: [], created: cut.placements, destroyed: [] }],
    });
    expect((await h100.node(`apply --plan ${plan} --node n3`)).stderr).toContain('say nothing about n3');
    const a100 = machine('plan-a100', 'a100-80gb:1');
    const refused = await a100.node(`apply --plan ${plan} --node ${cut.node}`);
    expect(refused.exit).toBe(2);
    expect(refused.stderr).toContain('GPU 0 is of model a100-80gb; the plan is for h100-80gb-sxm');
  });

  it('keeps the slices that the new counts have too, and never touches them', async () => {
    const h100 = machine('keeps', 'h100:1');
    await h100.node('apply -f fixtures/node/layout.yaml --keep-going');
    const before = await h100.json('show');
    const answer = await h100.json(`apply -f ${migParted} -c all-balanced --yes`);
    expect(answer.gpus[0]).toMatchObject({ outcome: 'done', destroyed: [] });
    expect(answer.gpus[0].kept).toHaveLength(2);
    const after = await h100.json('show');
    for (const slice of before.gpus[0].slices) expect(after.gpus[0].slices).toContainEqual(slice);
  });

  it('refuses a layout on the whole where one GPU cannot be it, unless each goes for itself', async () => {
    const mixed = machine('mixed', 'h100:1,rtx-pro-6000:1');
    const answer = await mixed.json(`apply -f ${migParted} -c impossible`);
    expect(answer).toMatchObject({
      outcome: 'refused',
      gpus: [{ why: { kind: 'no-room' } }, { why: { kind: 'unknown-profile' } }],
    });
    expect(await mixed.layouts()).toEqual(['off', 'off']);
    const { exit } = await mixed.node('apply -f fixtures/node/layout.yaml --keep-going');
    expect(exit).toBe(1);
    expect(await mixed.layouts()).toEqual(['1g.10gb:0,3g.40gb:4', 'off']);
  });

  it('drains: asks processes to end, and gives up or ends them', async () => {
    const h100 = machine('drain', 'h100:1');
    await h100.node('apply -f fixtures/node/layout.yaml --keep-going');
    await h100.occupy(0, 4, bert);
    const refused = await h100.json(`apply -f ${migParted} -c all-1g.10gb --yes --drain 0s`);
    expect(refused).toMatchObject({
      outcome: 'refused',
      gpus: [{ why: { kind: 'busy', holders: [{ pid: bert.pid, name: 'python', usedMiB: 8000 }] } }],
    });
  });

  it('asks at a terminal, and takes anything but yes as no', async () => {
    const h100 = machine('asks', 'h100:1');
    await h100.node('apply -f fixtures/node/layout.yaml --keep-going');
    const args = ['node', 'apply', '--driver', 'simulated', '--state', h100.state, '-f', migParted];
    const { main } = await import('#apps/cli/main');
    const asked: string[] = [];
    const answering = (yes: boolean) =>
      main([...args, '-c', 'all-1g.10gb'], {
        out: { write: () => undefined },
        err: { write: (text) => asked.push(text) },
        env: {},
        confirm: async (question) => {
          asked.push(question);
          return yes;
        },
      });
    expect(await answering(false)).toBe(1);
    expect(asked.join('')).toContain('destroy 3g.40gb:4');
    expect(await h100.layouts()).toEqual(['1g.10gb:0,3g.40gb:4']);
    expect(await answering(true)).toBe(0);
    expect((await h100.layouts())[0]?.split(',')).toHaveLength(7);
  });
});

it('every golden file is of a session above', () => {
  expect(readdirSync(goldens).filter((file) => !told.has(file))).toEqual([]);
});
