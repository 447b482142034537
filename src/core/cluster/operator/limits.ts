/** How long each part of a change of a node may take before something is done about it. */

export interface Limits {
  /** All pods gone, after the cordon. */
  readonly evictMs: number;
  /** From the write of a ConfigMap until every kubelet has it in its mounted files. */
  readonly settleMs: number;
  /** After the cordon: a pod that the scheduler had just placed shows itself. */
  readonly quietMs: number;
  /** From the label to the first word of mig-manager. */
  readonly reactMs: number;
  /** In state `pending`: mig-manager itself waits up to 5 minutes for each of four components. */
  readonly pendingMs: number;
  /** In state `rebooting`, or not ready. */
  readonly rebootMs: number;
  /** In state `failed`, before it is believed. */
  readonly failedMs: number;
  /** Components still paused after the end. */
  readonly pausedMs: number;
  /** From the end of mig-manager's work, or a restart, to the counts and labels: GFD looks every 60 s. */
  readonly offerMs: number;
  /** The whole of cutting, and again of restoring. */
  readonly cutMs: number;
  /** Between two looks. */
  readonly pollMs: number;
}

const minuteMs = 60_000;

export const defaultLimits: Limits = {
  evictMs: 10 * minuteMs,
  settleMs: 90_000,
  quietMs: 5_000,
  reactMs: minuteMs,
  pendingMs: 22 * minuteMs,
  rebootMs: 20 * minuteMs,
  failedMs: 10_000,
  pausedMs: 30_000,
  offerMs: 90_000,
  cutMs: 60 * minuteMs,
  pollMs: 2_000,
};
