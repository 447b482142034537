/** The fleet as Prometheus has it: rows of dcgm-exporter and kube-state-metrics as OpenMetrics, series by series. */
import { everyMs, margin, runs, window, type Run } from './fleet.js';
import type { Backfill } from './blocks.js';

const ownersEveryMs = 300_000;

export function weekOfFleet(): Backfill {
  return {
    name: 'week',
    sources: ['fleet.ts', 'series.ts', 'blocks.ts'].map((file) => new URL(file, import.meta.url).pathname),
    startMs: window.startMs - margin * everyMs,
    endMs: window.endMs + margin * everyMs,
    lines: linesBetween,
  };
}

/** Each host is scraped at its own time within the minute. */
function timeOf(host: number, minute: number): number {
  return window.startMs + minute * everyMs + host * 7000 + 1137;
}

function* linesBetween(fromMs: number, toMs: number): Iterable<string> {
  const all = runs();
  for (const run of all) {
    const { memory, activity, beside } = run.style;
    yield* samples(run, fromMs, toMs, memory, run.memory);
    yield* samples(run, fromMs, toMs, activity, run.activity);
    if (beside !== null) yield* samples(run, fromMs, toMs, beside, () => 1);
    if (run.card.gpu === 0) yield* samples(run, fromMs, toMs, 'DCGM_FI_DEV_MEM_COPY_UTIL', () => 99);
  }
  yield* owners(all, fromMs, toMs);
}

function* samples(
  run: Run,
  fromMs: number,
  toMs: number,
  name: string,
  valueOf: (minute: number) => number | undefined,
): Iterable<string> {
  const prefix = `${name}{${labelsOf(run)}} `;
  let lines = '';
  for (let minute = run.from; minute < run.to; minute += 1) {
    const timeMs = timeOf(run.card.host, minute);
    if (timeMs < fromMs || timeMs >= toMs) continue;
    const value = valueOf(minute);
    if (value !== undefined) lines += `${prefix}${value} ${timeMs / 1000}\n`;
  }
  if (lines !== '') yield lines;
}

function labelsOf({ card, slice, pod, style }: Run): string {
  const place = {
    gpu: String(card.gpu),
    UUID: card.uuid,
    pci_bus_id: `00000000:0${card.gpu}:00.0`,
    device: `nvidia${card.gpu}`,
    modelName: card.product,
    ...(slice === null ? {} : { GPU_I_PROFILE: slice.profile, GPU_I_ID: String(slice.id) }),
    [style.host]: `node-${card.host}`,
    DCGM_FI_DRIVER_VERSION: '580.173.02',
    instance: `10.0.0.${card.host}:9400`,
    job: style.exported ? 'exporter-without-honor-labels' : 'dcgm-exporter',
  };
  const exporter = { container: 'exporter', namespace: 'monitoring', pod: `gpu-metrics-${card.host}` };
  const holder = pod === null ? {} : { container: pod.container, namespace: pod.namespace, pod: pod.pod };
  const who = !style.exported
    ? holder
    : {
        ...exporter,
        ...Object.fromEntries(Object.entries(holder).map(([key, value]) => [`exported_${key}`, value])),
      };
  return textOf({ ...place, ...who });
}

function textOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}="${value}"`)
    .join(',');
}

/** For as long as the pod is there, and for each link of its chain of owners. */
function* owners(all: readonly Run[], fromMs: number, toMs: number): Iterable<string> {
  const links = new Map<string, { from: number; to: number }>();
  for (const { pod, from, to } of all) {
    if (pod?.owners == null) continue;
    const { namespace } = pod;
    const chain = [{ kind: 'Pod', name: pod.pod }, ...pod.owners];
    for (const [index, owner] of chain.slice(1).entries()) {
      const { kind, name } = chain[index]!;
      const own = { owner_kind: owner.kind, owner_name: owner.name, owner_is_controller: 'true' };
      const series =
        kind === 'Pod'
          ? `kube_pod_owner{${textOf({ namespace, pod: name, ...own })}}`
          : kind === 'ReplicaSet'
            ? `kube_replicaset_owner{${textOf({ namespace, replicaset: name, ...own })}}`
            : `kube_job_owner{${textOf({ namespace, job_name: name, ...own })}}`;
      const known = links.get(series) ?? { from, to };
      links.set(series, { from: Math.min(known.from, from), to: Math.max(known.to, to) });
    }
  }
  for (const [series, { from, to }] of links) {
    let lines = '';
    const [beginMs, endMs] = [window.startMs + from * everyMs, window.startMs + to * everyMs];
    for (let timeMs = beginMs; timeMs < endMs; timeMs += ownersEveryMs)
      if (timeMs >= fromMs && timeMs < toMs) lines += `${series} 1 ${timeMs / 1000}\n`;
    if (lines !== '') yield lines;
  }
}
