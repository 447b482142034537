/** What must be true before MIG can be switched on, for cards that share the answer. */
import type { MigEnable } from './model.js';

/** Hopper and newer switch without a GPU reset and forget the mode when the driver unloads or the machine reboots. */
export function resetless(minDriver: string | null, more: Partial<MigEnable> = {}): MigEnable {
  return {
    minDriver,
    minVbios: null,
    resetToToggle: false,
    modePersistsReboot: false,
    needsComputeDisplayMode: null,
    ...more,
  };
}

/** Ampere needs a GPU reset to switch, and remembers the mode over reboots. */
export function withReset(minDriver: string | null): MigEnable {
  return { ...resetless(minDriver), resetToToggle: true, modePersistsReboot: true };
}
