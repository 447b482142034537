/** What `mica audit` takes on its command line. */
import type { AuditFormat } from '../../audit-formats.js';
import type { EmitFlags } from '../emit-plan.js';
import type { DriverFlags } from '../node/open-node.js';
import type { SizingFlags } from '../../settings.js';

export interface AuditFlags extends SizingFlags, Omit<EmitFlags, 'strategy'>, DriverFlags {
  readonly prometheus?: string;
  readonly dcgm?: readonly string[];
  readonly csv?: readonly string[];
  readonly nvml?: boolean;
  readonly window?: string;
  readonly end?: string;
  readonly bearerTokenFile?: string;
  readonly basicAuthFile?: string;
  readonly header?: readonly string[];
  readonly caFile?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly insecureSkipVerify?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly for?: string;
  readonly every?: string;
  readonly gpu?: string;
  readonly measuredOn?: string;
  readonly strategy: 'peak' | 'p99' | 'p95';
  readonly migStrategy?: 'mixed' | 'single';
  readonly prices?: string;
  readonly format: AuditFormat;
  readonly verbose?: boolean;
  readonly plan?: boolean;
}

/** As the emitters know them. */
export function emitFlagsOf({ strategy: _, migStrategy, ...flags }: AuditFlags): EmitFlags {
  return migStrategy === undefined ? flags : { ...flags, strategy: migStrategy };
}
