/** The one source of metrics that the command line names, opened. */
import { MicaError } from '#core/errors';
import { systemClock } from '#adapters/system/clock';
import type { MetricsSource, ObserveRequest } from '#ports/metrics-source';
import type { PodOwners } from '#ports/pod-owners';
import { modelNamed, timeSpanMs } from '../../arguments.js';
import { prometheusUrlFrom } from '../../settings.js';
import type { Host } from '../../terminal/screen.js';
import { withNode } from '../node/open-node.js';
import type { AuditFlags } from './flags.js';
import { prometheusFrom } from './prometheus.js';

const longestSampleMs = 24 * 3_600_000;

/** How long live sources are sampled, and how often. */
export interface Sampling {
  readonly forMs: number;
  readonly everyMs: number;
}

export interface OpenedSource {
  readonly source: MetricsSource;
  /** Who owns the pods, as far as the source itself can say. */
  readonly owners: ((window: ObserveRequest['window']) => PodOwners) | null;
}

/** Opens it for the length of the work. */
export async function withSource<T>(
  host: Host,
  flags: AuditFlags,
  work: (opened: OpenedSource) => Promise<T>,
): Promise<T> {
  const named = namedSources(flags);
  const [first, second] = named;
  if (second !== undefined) {
    throw new MicaError('bad-usage', `${named.join(' and ')} name several sources; an audit reads one kind`);
  }
  switch (first) {
    case '--csv': {
      const { csvSource } = await import('#adapters/csv/source');
      return work({ source: csvSource(flags.csv ?? []), owners: null });
    }
    case '--dcgm': {
      const { dcgmSource } = await import('#adapters/dcgm/source');
      const source = dcgmSource({ targets: flags.dcgm ?? [], ...samplingFrom(flags), clock: systemClock });
      return work({ source, owners: null });
    }
    case '--nvml': {
      const { driverSource } = await import('#engines/audit/observe-driver');
      return withNode(host, flags, ({ driver, clock }) =>
        work({ source: driverSource({ driver, ...samplingFrom(flags), clock }), owners: null }),
      );
    }
    case '--prometheus':
    case undefined:
      break;
  }
  return withPrometheus(host, flags, work);
}

async function withPrometheus<T>(
  host: Host,
  flags: AuditFlags,
  work: (opened: OpenedSource) => Promise<T>,
): Promise<T> {
  const url = await prometheusUrlFrom(flags.prometheus, host.env);
  if (url === undefined) throw noSource();
  const opened = await prometheusFrom(url, flags, host.env);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

type SourceFlag = '--prometheus' | '--dcgm' | '--csv' | '--nvml';

function namedSources({ prometheus, dcgm, csv, nvml, driver }: AuditFlags): readonly SourceFlag[] {
  return [
    ...(prometheus === undefined ? [] : (['--prometheus'] as const)),
    ...(dcgm === undefined ? [] : (['--dcgm'] as const)),
    ...(csv === undefined ? [] : (['--csv'] as const)),
    ...(nvml === true || driver !== undefined ? (['--nvml'] as const) : []),
  ];
}

function noSource(): MicaError {
  return new MicaError('bad-usage', 'no source of metrics is named', {
    next:
      'Add --prometheus URL, --dcgm FILE or URL, --csv FILE or --nvml; with Prometheus in Kubernetes: ' +
      'kubectl port-forward -n monitoring svc/prometheus 9090, then --prometheus http://localhost:9090.',
  });
}

function samplingFrom(flags: AuditFlags): Sampling {
  const forMs = flags.for === undefined ? 600_000 : timeSpanMs('--for', flags.for, longestSampleMs);
  const everyMs = flags.every === undefined ? 5000 : timeSpanMs('--every', flags.every, longestSampleMs);
  if (everyMs < 1000) throw new MicaError('bad-usage', '--every must be at least 1s');
  return { forMs, everyMs };
}

/** `MODEL` or `MODEL:PROFILE`. */
export function deviceFrom(text: string): { readonly model: string; readonly profile: string | null } {
  const [name = '', profile] = text.split(':');
  const model = modelNamed(name);
  if (profile === undefined) return { model: model.key, profile: null };
  if (model.kind === 'mig' && model.profiles.some((one) => one.name === profile))
    return { model: model.key, profile };
  throw new MicaError('bad-usage', `--measured-on: ${model.key} has no profile '${profile}'`, {
    next: `Run \`mica catalogue ${model.key}\` to see its profiles.`,
  });
}
