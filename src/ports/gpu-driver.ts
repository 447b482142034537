/**
 * The GPUs of one machine, as NVML knows them: what can be cut, what is cut, who is in it, and the calls that change it.
 * Every method may take seconds under load and answers with a value; only a driver that is gone altogether throws.
 */
import type { Profile } from '#core/catalogue/model';
import type { Placement } from '#core/geometry/placement';

/** A GPU for the length of one boot. The index may change with a reset, the UUID does not. */
export interface GpuInfo {
  readonly index: number;
  readonly uuid: string;
  /** NVML product name. */
  readonly name: string;
  /** `00000000:1A:00.0`. */
  readonly pciBusId: string;
  /** Device id and subsystem id, four upper-case hex digits each; vendor 10DE. */
  readonly pciDeviceId: string;
  readonly pciSubsystemId: string | null;
  readonly driverVersion: string;
  readonly vbiosVersion: string | null;
  readonly memoryMiB: number | null;
  /** `null`: the card has no MIG. Two values, since a change may wait for a reset or a reboot. */
  readonly mig: { readonly current: boolean; readonly pending: boolean } | null;
}

/** What can be cut: from the driver, so that a card nobody has heard of works. */
export interface DriverCard {
  /** Length of the placement grid. */
  readonly gridUnits: number;
  readonly profiles: readonly Profile[];
}

/** A compute instance inside a GPU instance. */
export interface ComputeInstance {
  readonly id: number;
  /** The MIG device's UUID; the same GPU and GI id give the same UUID again, so it marks no generation. */
  readonly uuid: string | null;
}

/** A live GPU instance. A place and a thing are different types: this one has an id. */
export interface GpuInstance {
  readonly id: number;
  readonly profileId: number;
  /** `profile` is the driver's name for it. */
  readonly placement: Placement;
  readonly computeInstances: readonly ComputeInstance[];
  /** Of its MIG devices together; `null`: not known, or no compute instance yet. */
  readonly memory: { readonly usedMiB: number; readonly totalMiB: number } | null;
}

export interface GpuProcess {
  readonly pid: number;
  /** `null`: another user's, or gone already. */
  readonly name: string | null;
  readonly usedMiB: number | null;
  /** The GPU instance that it runs in; `null`: on the whole GPU, or the driver does not say. */
  readonly instanceId: number | null;
}

/** Why a driver call did not do what was asked. */
export type DriverRefusal =
  /** Clients hold the GPU or the instance; also a GPU instance that still has compute instances. */
  | 'in-use'
  /** No room, or this very placement is taken: NVML does not tell the two apart. */
  | 'no-room'
  | 'no-permission'
  | 'not-supported'
  | 'not-found'
  /** The mode is set but waits for a GPU reset (or a reboot, where the machine cannot reset). */
  | 'reset-required'
  | 'bad-argument'
  /** The GPU fell off the bus, or the driver was unloaded. */
  | 'lost'
  | 'unknown';

export interface DriverFailure {
  readonly ok: false;
  readonly why: {
    readonly kind: DriverRefusal;
    /** In words, with the call that failed. */
    readonly message: string;
    /** NVML's return code; `null`: not from NVML. */
    readonly code: number | null;
  };
}

export type DriverAnswer<T> = { readonly ok: true; readonly value: T } | DriverFailure;

/** A critical error of the hardware or of a kernel. */
export interface XidEvent {
  readonly gpuUuid: string;
  readonly xid: number;
  /** `null`: the driver does not say which instance. */
  readonly instanceId: number | null;
}

/** GPUs are named by UUID; instances by the ids of this boot. */
export interface GpuDriver {
  readonly kind: 'nvml' | 'simulated';
  readonly gpus: () => Promise<DriverAnswer<readonly GpuInfo[]>>;
  /** Profiles and placements; `not-supported` where the driver lists nothing until MIG is on. */
  readonly card: (gpuUuid: string) => Promise<DriverAnswer<DriverCard>>;
  /** None where MIG is off. */
  readonly instances: (gpuUuid: string) => Promise<DriverAnswer<readonly GpuInstance[]>>;
  /** All clients of the GPU, in instances or not. */
  readonly processes: (gpuUuid: string) => Promise<DriverAnswer<readonly GpuProcess[]>>;
  /** The mode afterwards. `in-use`: the GPU is not idle; `reset-required`: set, and pending. */
  readonly setMigMode: (
    gpuUuid: string,
    enabled: boolean,
  ) => Promise<DriverAnswer<{ readonly current: boolean; readonly pending: boolean }>>;
  /** Makes a pending mode current; all handles and instances of the GPU are gone afterwards. */
  readonly reset: (gpuUuid: string) => Promise<DriverAnswer<undefined>>;
  /** Always with an explicit place: where the driver would put it is its own affair. */
  readonly createGpuInstance: (
    gpuUuid: string,
    profileId: number,
    start: number,
  ) => Promise<DriverAnswer<GpuInstance>>;
  /** One that covers the whole GPU instance. */
  readonly createComputeInstance: (
    gpuUuid: string,
    instanceId: number,
  ) => Promise<DriverAnswer<ComputeInstance>>;
  readonly destroyComputeInstance: (
    gpuUuid: string,
    instanceId: number,
    computeInstanceId: number,
  ) => Promise<DriverAnswer<undefined>>;
  /** Refused as `in-use` while a compute instance is in it. */
  readonly destroyGpuInstance: (gpuUuid: string, instanceId: number) => Promise<DriverAnswer<undefined>>;
  /** Waits for the next event, at most this long; `null`: none came. */
  readonly nextXid: (timeoutMs: number) => Promise<DriverAnswer<XidEvent | null>>;
  readonly close: () => Promise<void>;
}
