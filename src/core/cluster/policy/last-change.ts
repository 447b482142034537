/** How the last change of a node ended, as it stands on the node: a process that has just begun knows it too. */
import { annotations } from '../operator/record.js';
import type { ClusterNode } from '../objects.js';

export interface LastChange {
  /** `done`, `rolled-back`, `failed`. */
  readonly outcome: string;
  readonly config: string;
  readonly endedMs: number;
  /** Empty where all went well. */
  readonly why: string;
}

/** `null`: there was none, or what is written there cannot be read. */
export function lastChangeOf({ annotations: of }: ClusterNode): LastChange | null {
  const text = of[annotations.last];
  if (text === undefined) return null;
  try {
    const { outcome, config, endedMs, why = '' } = JSON.parse(text) as Record<string, unknown>;
    if (typeof outcome !== 'string' || typeof config !== 'string' || typeof endedMs !== 'number') return null;
    return { outcome, config, endedMs, why: typeof why === 'string' ? why : '' };
  } catch {
    return null;
  }
}
