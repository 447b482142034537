/** Everything that a simulated machine is, as plain JSON: its GPUs, what is cut on them, and who uses them. */
import { createHash } from 'node:crypto';
import type { SimulatedModel } from './gpu-list.js';

export interface MachineState {
  readonly format: 'mica/simulated-machine@1';
  /** Whether callers may change anything. */
  privileged: boolean;
  gpus: GpuState[];
  /** The last ones, oldest first. */
  xids: XidState[];
  /** How many there ever were. */
  xidCount: number;
}

export interface GpuState {
  /** Catalogue key. */
  readonly model: string;
  readonly uuid: string;
  migCurrent: boolean;
  migPending: boolean;
  instances: InstanceState[];
  clients: ClientState[];
}

export interface InstanceState {
  readonly id: number;
  readonly profileId: number;
  readonly start: number;
  /** Ids. */
  computeInstances: number[];
}

export interface ClientState {
  readonly pid: number;
  readonly name: string | null;
  readonly usedMiB: number | null;
  /** `null`: outside all instances. */
  readonly instanceId: number | null;
}

export interface XidState {
  /** Counted from 1 since the machine was made. */
  readonly number: number;
  readonly gpuUuid: string;
  readonly xid: number;
  readonly instanceId: number | null;
}

/** A machine fresh from the shop. `name` tells its GPUs from those of another machine. */
export function newMachine(models: readonly SimulatedModel[], name = 'simulated'): MachineState {
  const gpus = models.map((model, index) => ({
    model: model.key,
    uuid: `GPU-${uuidOf(`${name}/${index}/${model.key}`)}`,
    migCurrent: false,
    migPending: false,
    instances: [],
    clients: [],
  }));
  return { format: 'mica/simulated-machine@1', privileged: true, gpus, xids: [], xidCount: 0 };
}

/** The same words give the same UUID, as the same GPU and GI id do on hardware. Version 5 in form. */
export function uuidOf(words: string): string {
  const hex = createHash('sha1').update(words).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join('-');
}
