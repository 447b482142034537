/** What a GPU model is, as MIG sees it: a grid of placement units and the profiles that can be cut from it. */

/** How a figure is known. `observed`: read from hardware output; `documented`: NVIDIA's own documentation,
 * configuration or release notes; `derived`: inferred from the family or the name; `claimed`: third party. */
export type Confidence = 'observed' | 'documented' | 'derived' | 'claimed';

/** The suffix of an attribute profile: media extensions, graphics, all media engines, none of them. */
export type Attribute = '+me' | '+gfx' | '+me.all' | '-me';

/** Engines that a GPU instance owns; `null` where nobody has published the number. */
export interface Engines {
  readonly copy: number | null;
  readonly decoders: number | null;
  readonly encoders: number | null;
  readonly jpeg: number | null;
  readonly ofa: number | null;
}

/** One row of `nvidia-smi mig -lgip`. A name is not a geometry: `1g.24gb` is another thing on another model. */
export interface Profile {
  readonly name: string;
  /** NVML `profileId`: what `-lgip` prints and what creating an instance takes. */
  readonly id: number;
  /** `NVML_GPU_INSTANCE_PROFILE_*`: what asking for profile information takes. Not the id. */
  readonly nvmlEnum: number;
  readonly computeSlices: number;
  /** Length of the profile on the model's grid, in placement units. */
  readonly sizeUnits: number;
  /** Grid positions where an instance may begin. */
  readonly starts: readonly number[];
  readonly maxCount: number;
  readonly attribute: Attribute | null;
  /** Usable memory of the instance; `null`: not published. Where drivers differ, the smallest is in `memoryMiBSeen`. */
  readonly memoryMiB: number | null;
  /** Every usable-memory figure recorded by some driver, ascending, when there is more than one. */
  readonly memoryMiBSeen?: readonly number[];
  readonly sms: number | null;
  readonly engines: Engines;
  readonly confidence: Confidence;
  /** Fields that were inferred, whatever `confidence` says of the rest. */
  readonly derivedFields: readonly (keyof Profile)[];
  /** Ids of `sources.ts`, where the full citations are. */
  readonly sources: readonly string[];
  readonly note?: string;
}

/** What is published of a profile whose id and places are not. */
export type ProfileOutline = Omit<Profile, 'id' | 'sizeUnits' | 'starts'>;

/** What must be true before MIG can be switched on. `null`: not known. */
export interface MigEnable {
  /** Driver version, e.g. `525.85.12`, or its branch where no more is known. */
  readonly minDriver: string | null;
  readonly minVbios: string | null;
  /** Ampere: switching the mode needs a GPU reset. */
  readonly resetToToggle: boolean | null;
  readonly modePersistsReboot: boolean | null;
  /** Workstation cards: the display mode must be `compute` first. */
  readonly needsComputeDisplayMode: boolean | null;
}

interface CardBase {
  /** Stable key, e.g. `rtx-pro-6000-blackwell-server`. */
  readonly key: string;
  /** For people; may cover several boards of one geometry. */
  readonly name: string;
  /** What NVML and nvidia-smi call the card, one per board; empty: not known. With dashes, the GFD product label. */
  readonly productNames: readonly string[];
  /** Other names that mean this model and no other. */
  readonly aliases: readonly string[];
  /** Values of the `cloud.google.com/gke-accelerator` label. */
  readonly gkeAccelerators: readonly string[];
  readonly architecture: string;
  /** PCI device ids, four upper-case hex digits, vendor 10DE. */
  readonly pciDeviceIds: readonly string[];
  /** Subsystem ids, where a device id alone does not tell the model. */
  readonly pciSubsystemIds?: readonly string[];
  /** Total memory as nvidia-smi prints it. */
  readonly memoryMiB: number | null;
  /** The marketing figure. */
  readonly memoryGB: number | null;
  /** SMs outside MIG. */
  readonly sms: number | null;
  /** Ids of `sources.ts`. */
  readonly sources: readonly string[];
  readonly notes: readonly string[];
}

/**
 * A model whose grid and profiles are known: everything in Mica can work with it. Instances of one GPU do not see each
 * other on any model: no P2P between slices.
 */
export interface MigModel extends CardBase {
  readonly kind: 'mig';
  readonly computeSlices: number;
  /** Length of the placement grid ("memory slices" of NVML: not GiB, not SMs). */
  readonly gridUnits: number;
  readonly maxInstances: number;
  readonly migEnable: MigEnable;
  readonly profiles: readonly Profile[];
}

/** MIG-capable, but ids or placements were never published: shown, not planned. */
export interface UnmappedModel extends CardBase {
  readonly kind: 'unmapped';
  readonly migEnable: MigEnable;
  readonly computeSlices: number | null;
  readonly maxInstances: number | null;
  /** The names of `profiles`. */
  readonly profileNames: readonly string[];
  readonly profiles: readonly ProfileOutline[];
}

/** A card without MIG: counted whole. */
export interface WholeModel extends CardBase {
  readonly kind: 'no-mig';
}

export type GpuModel = MigModel | UnmappedModel | WholeModel;
