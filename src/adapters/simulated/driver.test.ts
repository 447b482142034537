import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockFiles } from '#adapters/system/lock-files';
import { migModels } from '#core/catalogue/catalogue';
import type { DriverAnswer } from '#ports/gpu-driver';
import { root, temporaryFolder, writeFiles } from '../../../test/tooling/clone.js';
import { run } from '../../../test/tooling/run.js';
import { simulatedDriver } from './driver.js';
import { Faults } from './faults.js';
import { parseGpuList } from './gpu-list.js';
import { newMachine } from './machine-state.js';
import { simulatedMachine } from './machine.js';
import { inFile, inMemory } from './state-store.js';

/** A clock that only moves when somebody sleeps. */
function countingClock() {
  let nowMs = 0;
  return { nowMs: () => nowMs, sleep: async (ms: number) => void (nowMs += ms) };
}

function machineOf(list: string) {
  const parsed = parseGpuList(list);
  if (!parsed.ok) throw new Error(parsed.why.message);
  const state = newMachine(parsed.models);
  return { state, uuids: state.gpus.map(({ uuid }) => uuid) };
}

function begin(list: string, faults?: Faults, latencyScale = 0) {
  const { state, uuids } = machineOf(list);
  const store = inMemory(state);
  const clock = countingClock();
  const driver = simulatedDriver({ store, clock, latencyScale, ...(faults && { faults }) });
  return { store, clock, driver, uuid: uuids[0] ?? '', uuids, machine: simulatedMachine(store) };
}

describe('a simulated driver', () => {
  it('can be every model of the catalogue, cut as a whole', async () => {
    for (const { key, profiles, migEnable, productNames, memoryMiB } of migModels()) {
      const { driver, uuid } = begin(key);
      await driver.setMigMode(uuid, true);
      if (migEnable.resetToToggle === true) await driver.reset(uuid);
      const [gpu] = await value(driver.gpus());
      expect(gpu).toMatchObject({ memoryMiB, mig: { current: true, pending: true } });
      if (productNames.length > 0) expect(productNames).toContain(gpu?.name);
      for (const profile of profiles) {
        const made = await value(driver.createGpuInstance(uuid, profile.id, profile.starts[0] ?? 0));
        await value(driver.createComputeInstance(uuid, made.id));
        const [listed] = await value(driver.instances(uuid));
        const totalMiB = profile.memoryMiB;
        expect(listed?.memory).toEqual(totalMiB === null ? null : { usedMiB: 0, totalMiB });
        await value(driver.destroyComputeInstance(uuid, made.id, 0));
        await value(driver.destroyGpuInstance(uuid, made.id));
      }
    }
  });

  it('can be a card without MIG', async () => {
    const { driver, uuid } = begin('l4');
    expect(await value(driver.gpus())).toMatchObject([{ name: 'NVIDIA L4', mig: null }]);
    expect(await value(driver.instances(uuid))).toEqual([]);
    for (const answer of [driver.card(uuid), driver.setMigMode(uuid, true)]) {
      expect(await answer).toMatchObject({ ok: false, why: { kind: 'not-supported', code: null } });
    }
  });

  it('numbers instances as nodes of a tree, so that a GI id comes back at another place', async () => {
    const { driver, uuid } = begin('h100');
    await driver.setMigMode(uuid, true);
    const ids: number[] = [];
    for (const start of [6, 2, 0]) {
      const made = await value(driver.createGpuInstance(uuid, 19, start));
      ids.push(made.id);
      await driver.destroyGpuInstance(uuid, made.id);
    }
    expect(ids).toEqual([7, 7, 7]);
    expect(await value(driver.createGpuInstance(uuid, 9, 4))).toMatchObject({ id: 1 });
    expect(await value(driver.createGpuInstance(uuid, 14, 2))).toMatchObject({ id: 3 });
  });

  it('holds to the most of a profile where nobody knows the engines', async () => {
    const { driver, uuid } = begin('h800-80gb');
    await driver.setMigMode(uuid, true);
    const media = migModels()
      .find(({ key }) => key === 'h800-80gb')
      ?.profiles.find(({ attribute }) => attribute === '+me');
    expect(await driver.createGpuInstance(uuid, media?.id ?? 0, 0)).toMatchObject({ ok: true });
    expect(await driver.createGpuInstance(uuid, media?.id ?? 0, 1)).toMatchObject({
      ok: false,
      why: { kind: 'no-room', message: expect.stringContaining('fits 1 times') },
    });
  });

  it('counts what is used in an instance', async () => {
    const { driver, uuid, machine } = begin('a30');
    await driver.setMigMode(uuid, true);
    await driver.reset(uuid);
    const { id } = await value(driver.createGpuInstance(uuid, 5, 2));
    await value(driver.createComputeInstance(uuid, id));
    await machine.addClient(uuid, { pid: 7, name: 'python', usedMiB: 900, instanceId: id });
    await machine.addClient(uuid, { pid: 8, usedMiB: 100, instanceId: id });
    expect(await value(driver.instances(uuid))).toMatchObject([{ memory: { usedMiB: 1000 } }]);
    expect(await value(driver.processes(uuid))).toMatchObject([{ name: 'python' }, { name: null }]);
    await expect(machine.addClient(uuid, { pid: 9, usedMiB: 1, instanceId: 4 })).rejects.toThrow(RangeError);
  });

  it('takes the time of a real one, and none where it is told so', async () => {
    const slow = begin('h100', undefined, 1);
    const elapsed = async (work: () => Promise<unknown>) => {
      const beforeMs = slow.clock.nowMs();
      await work();
      return slow.clock.nowMs() - beforeMs;
    };
    const { driver, uuid } = slow;
    expect(await elapsed(() => driver.setMigMode(uuid, true))).toBe(2500);
    expect(await elapsed(() => driver.createGpuInstance(uuid, 19, 0))).toBe(125);
    expect(await elapsed(() => driver.createComputeInstance(uuid, 7))).toBe(50);
    expect(await elapsed(() => driver.createGpuInstance(uuid, 9, 4))).toBe(200);
    expect(await elapsed(() => driver.reset(uuid))).toBe(7000);
    const quick = begin('h100');
    await quick.driver.setMigMode(quick.uuid, true);
    expect(quick.clock.nowMs()).toBe(0);
  });

  it('tells of Xids that come while it listens', async () => {
    const { driver, uuid, machine, store, clock } = begin('h100');
    expect(await value(driver.nextXid(120))).toBeNull();
    expect(clock.nowMs()).toBe(120);
    const event = { gpuUuid: uuid, xid: 31, instanceId: null };
    await machine.raiseXid(event);
    await machine.raiseXid({ ...event, xid: 94 });
    expect(await value(driver.nextXid(0))).toEqual(event);
    expect(await value(driver.nextXid(0))).toMatchObject({ xid: 94 });
    expect(await value(driver.nextXid(0))).toBeNull();
    expect(await value(simulatedDriver({ store, clock }).nextXid(0))).toBeNull();
  });

  it('fails as it is told to, before or after the work, and lists every call', async () => {
    const faults = new Faults()
      .failOn('createGpuInstance', 2, 'unknown')
      .failOn('createGpuInstance', 3, 'lost', 'after');
    const { driver, uuid } = begin('h100', faults);
    await driver.setMigMode(uuid, true);
    const kinds: string[] = [];
    for (const start of [0, 1, 2, 3]) {
      const made = await driver.createGpuInstance(uuid, 19, start);
      kinds.push(made.ok ? 'made' : made.why.kind);
    }
    expect(kinds).toEqual(['made', 'unknown', 'lost', 'made']);
    const starts = (await value(driver.instances(uuid))).map(({ placement }) => placement.start);
    expect(starts).toEqual([0, 2, 3]);
    expect(faults.calls).toHaveLength(6);
    expect(faults.calls[1]).toEqual({ name: 'createGpuInstance', gpuUuid: uuid, args: [19, 0] });
  });
});

describe('a simulated machine in a file', () => {
  it('is made once, for its owner alone, and is there for the next process', async () => {
    const path = join(temporaryFolder(), 'new', 'machine.json');
    const { state, uuids } = machineOf('h100:2');
    const open = () =>
      inFile({ path, locks: lockFiles(`${path}.locks`), clock: countingClock(), initial: state });
    const driver = simulatedDriver({ store: await open(), clock: countingClock(), latencyScale: 0 });
    await driver.setMigMode(uuids[1] ?? '', true);
    const again = simulatedDriver({ store: await open(), clock: countingClock(), latencyScale: 0 });
    expect(await value(again.gpus())).toMatchObject([
      { mig: { current: false } },
      { mig: { current: true } },
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..')).sort()).toEqual(['machine.json', 'machine.json.locks']);
  });

  it.each([
    ['no JSON', '{', /JSON/],
    ['another file', '{"format":"x"}', /format/],
    ['a model that nobody knows', edited({ model: 'h1' }), /gpus\.0\.model: no such GPU model/],
    [
      'an instance that the card cannot have',
      edited({ instances: [{ id: 7, profileId: 47, start: 0, computeInstances: [] }] }),
      /h100-80gb-sxm has no profile 47/,
    ],
  ])('is refused where it holds %s', async (_, content, words) => {
    const folder = temporaryFolder();
    writeFiles(folder, { 'machine.json': content });
    const path = join(folder, 'machine.json');
    const opening = inFile({ path, locks: lockFiles(join(folder, 'locks')), clock: countingClock() });
    await expect(opening).rejects.toMatchObject({
      code: 'damaged-state',
      message: expect.stringMatching(words),
    });
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  it('must be there where nobody says what it is', async () => {
    const folder = temporaryFolder();
    const opening = inFile({
      path: join(folder, 'machine.json'),
      locks: lockFiles(join(folder, 'locks')),
      clock: countingClock(),
    });
    await expect(opening).rejects.toMatchObject({ code: 'unreadable-file' });
  });

  it('says so when a lock is never given back', async () => {
    const folder = temporaryFolder();
    const clock = countingClock();
    const locks = { lock: async () => ({ ok: false, pid: 4711 }) as const };
    const opening = inFile({ path: join(folder, 'machine.json'), locks, clock });
    await expect(opening).rejects.toMatchObject({
      code: 'state-locked',
      message: expect.stringContaining('pid 4711'),
    });
    expect(clock.nowMs()).toBe(30_000);
  });

  it('loses nothing when processes change it at once', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, { 'one.mts': oneOfMany });
    const path = join(folder, 'machine.json');
    const args = ['--import', 'tsx', '--conditions=source', join(folder, 'one.mts'), path];
    const runs = await Promise.all(
      [0, 1, 2].map((part) => run(process.execPath, [...args, `${part}`], { cwd: root })),
    );
    expect(runs).toEqual(runs.map(() => ({ code: 0, stdout: '', stderr: '' })));
    const { gpus } = JSON.parse(readFileSync(path, 'utf8'));
    expect(gpus[0].instances.map(({ start }: { start: number }) => start).sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

/** Makes two instances and leaves and enters the rest of the card many times. */
const oneOfMany = `
  const from = (path) => import(${JSON.stringify(join(root, 'src/adapters/'))} + path);
  const [{ inFile }, { newMachine }, { simulatedDriver }, { parseGpuList }, { lockFiles }, { systemClock }] =
    await Promise.all(['simulated/state-store.ts', 'simulated/machine-state.ts', 'simulated/driver.ts',
      'simulated/gpu-list.ts', 'system/lock-files.ts', 'system/clock.ts'].map(from));
  const [path, part] = [process.argv[2], Number(process.argv[3])];
  const list = parseGpuList('h100');
  const store = await inFile({ path, clock: systemClock, locks: lockFiles(path + '.locks'), initial: newMachine(list.models) });
  const driver = simulatedDriver({ store, clock: systemClock, latencyScale: 0 });
  const [{ uuid }] = (await driver.gpus()).value;
  const must = async (answer) => { if (!(await answer).ok) throw new Error((await answer).why.message); };
  await must(driver.setMigMode(uuid, true));
  await must(driver.createGpuInstance(uuid, 19, part * 2));
  for (let round = 0; round < 10; round += 1) {
    const made = await driver.createGpuInstance(uuid, 19, 6);
    if (made.ok) await must(driver.destroyGpuInstance(uuid, made.value.id));
  }
  await must(driver.createGpuInstance(uuid, 19, part * 2 + 1));
`;

/** The state file of one H100 with something else in its GPU. */
function edited(change: object): string {
  const { state } = machineOf('h100');
  return JSON.stringify({ ...state, gpus: [{ ...state.gpus[0], ...change }] });
}

async function value<T>(answer: Promise<DriverAnswer<T>>): Promise<T> {
  const got = await answer;
  if (!got.ok) throw new Error(got.why.message);
  return got.value;
}
