/** A pretended machine with GPUs, and a way to run a script on it: only the fake nvidia-smi is in its PATH. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelByKey } from '#core/catalogue/catalogue';
import { root } from '../tooling/clone.js';
import { run, type Ran } from '../tooling/run.js';

export interface FakeInstance {
  readonly profile: string;
  readonly start: number;
  readonly gi: number;
  readonly compute: boolean;
  readonly busy: boolean;
}

export interface FakeGpu {
  readonly name: string;
  readonly pciId: string;
  readonly vbios: string;
  readonly mode: string;
  readonly pending: string;
  readonly instances: readonly FakeInstance[];
  /** Lines of --query-compute-apps. */
  readonly apps: readonly string[];
  /** A new mode waits for a reset. */
  readonly needsReset: boolean;
  /** A new mode waits for ever: a virtual machine that cannot reset its card. */
  readonly stuck: boolean;
  /** New instances come without their compute instance. */
  readonly losesCompute: boolean;
  /** The place, as `1g.24gb:9`, where creating fails. */
  readonly failsAt: string;
  readonly profiles: Readonly<Record<string, { id: number; size: number; starts: readonly number[] }>>;
}

export interface FakeMachine {
  readonly driver: string;
  readonly gpus: readonly FakeGpu[];
  /** The commands that changed something, in order. */
  readonly changes: readonly string[];
}

export function fakeGpu(modelKey: string, parts: Partial<FakeGpu> = {}): FakeGpu {
  const model = modelByKey(modelKey);
  if (model === undefined) throw new Error(`no model ${modelKey}`);
  const profiles = model.kind === 'mig' ? model.profiles : [];
  return {
    name: model.productNames[0] ?? model.name,
    pciId: model.pciDeviceIds[0] ?? '0000',
    vbios: '98.02.FF.00.00',
    mode: 'Disabled',
    pending: parts.mode ?? 'Disabled',
    instances: [],
    apps: [],
    needsReset: model.kind === 'mig' && model.migEnable.resetToToggle === true,
    stuck: false,
    losesCompute: false,
    failsAt: '',
    profiles: Object.fromEntries(
      profiles.map(({ name, id, sizeUnits, starts }) => [name, { id, size: sizeUnits, starts }]),
    ),
    ...parts,
  };
}

/** An instance with an id that its place does not tell. */
export function instance(text: string, gi: number, parts: Partial<FakeInstance> = {}): FakeInstance {
  const [profile = '', start = ''] = text.split(':');
  return { profile, start: Number(start), gi, compute: true, busy: false, ...parts };
}

const folders: string[] = [];

/** For `afterAll`: tests that run side by side have no end of their own that a machine could hear of. */
export function scrapMachines(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export class SmiMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mica-smi-'));
  readonly #state = join(this.#folder, 'machine.json');

  constructor(gpus: readonly FakeGpu[], { driver = '610.43.02', user = 'root' } = {}) {
    folders.push(this.#folder);
    const bin = join(this.#folder, 'bin');
    mkdirSync(bin);
    const fake = join(root, 'test/emit/fake-nvidia-smi.mjs');
    this.#program('nvidia-smi', `exec '${process.execPath}' '${fake}' "$@"`);
    this.#program('id', user === 'root' ? 'echo 0' : 'echo 1000');
    const machine: FakeMachine = { driver, gpus, changes: [] };
    writeFileSync(this.#state, JSON.stringify(machine));
  }

  get now(): FakeMachine {
    return JSON.parse(readFileSync(this.#state, 'utf8')) as FakeMachine;
  }

  /** What happens to the machine by itself, as at a reboot. */
  set(parts: Partial<FakeMachine>): void {
    writeFileSync(this.#state, JSON.stringify({ ...this.now, ...parts }));
  }

  /** The places on a GPU, as `2g.48gb:0`, in order of the grid. */
  placesOn(index: number): readonly string[] {
    const there = [...(this.now.gpus[index]?.instances ?? [])];
    return there.sort((a, b) => a.start - b.start).map(({ profile, start }) => `${profile}:${start}`);
  }

  /** What lies in the folder that scripts run in. */
  get files(): readonly string[] {
    return readdirSync(this.#folder).sort();
  }

  run(script: string, ...args: readonly string[]): Promise<Ran> {
    const file = join(this.#folder, 'node.sh');
    writeFileSync(file, script);
    const env = { PATH: `${join(this.#folder, 'bin')}:/usr/bin:/bin`, FAKE_NVIDIA_SMI: this.#state };
    return run('bash', [file, ...args], { env, cwd: this.#folder });
  }

  #program(name: string, line: string): void {
    const file = join(this.#folder, 'bin', name);
    writeFileSync(file, `#!/bin/sh\n${line}\n`);
    chmodSync(file, 0o755);
  }
}
