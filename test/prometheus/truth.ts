/** What an audit must find in the fleet, from its numbers alone: every sample sorted, nothing shared with the product. */
import { minutes, runs, type Run } from './fleet.js';

export interface TrueStats {
  readonly samples: number;
  readonly mean: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface TrueWorkload {
  readonly name: string;
  readonly namespace: string | null;
  readonly owner: { readonly kind: string; readonly via: string } | null;
  readonly memory: TrueStats | null;
  /** By metric, card and profile: `gr-engine/NVIDIA H100 80GB HBM3/1g.10gb`. */
  readonly activity: ReadonlyMap<string, TrueStats>;
  readonly replicas: { readonly seen: number; readonly atOnce: number };
  readonly devicesAtOnce: { readonly gpus: number; readonly slices: number };
  readonly shared: {
    readonly samples: number;
    readonly identical: number;
    readonly others: readonly string[];
  };
  readonly dropped: { readonly sentinel: number; readonly notFinite: number };
  /** Minutes of the whole window in which it had a sample. */
  readonly minutesSeen: number;
}

/** Rows of nobody that are no workloads: idle cards where others are named. */
const idleMiB = 128;

export function truth(): readonly TrueWorkload[] {
  const groups = new Map<string, Run[]>();
  const counted = runs().filter(({ shadow, from, to }) => !shadow && to > 0 && from < minutes);
  for (const run of counted) {
    if (run.pod === null && !(largest(run) > idleMiB)) continue;
    const key = JSON.stringify([run.pod?.namespace, nameOf(run)]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((members) => workloadOf(members, counted));
}

function nameOf({ pod, card, slice }: Run): string {
  if (pod !== null) return pod.workload;
  return `node-${card.host}/gpu-${card.gpu}${slice === null ? '' : `/gi-${slice.id}`}`;
}

function inWindow({ from, to }: Run): readonly number[] {
  const [first, last] = [Math.max(0, from), Math.min(minutes, to)];
  return Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);
}

function largest(run: Run): number {
  return Math.max(...inWindow(run).map((minute) => run.memory(minute) ?? 0));
}

function isMemory(value: number): boolean {
  return Number.isFinite(value) && value >= 0 && value <= 1_000_000;
}

function workloadOf(members: readonly Run[], all: readonly Run[]): TrueWorkload {
  const first = members[0]!;
  const memory: number[] = [];
  const activity = new Map<string, number[]>();
  const dropped = { sentinel: 0, notFinite: 0 };
  const shared = { samples: 0, identical: 0, others: new Set<string>() };
  const seen = new Set<number>();
  const podsAt = new Map<number, Set<string>>();
  const devicesAt = { gpus: new Map<string, Set<string>>(), slices: new Map<string, Set<string>>() };
  for (const run of members) {
    const beside = all.filter(
      (other) =>
        other !== run &&
        other.pod !== null &&
        other.card.uuid === run.card.uuid &&
        other.slice?.id === run.slice?.id,
    );
    const percent = run.style.metric === 'utilization' ? 100 : 1;
    const kind = [run.style.metric, run.card.product, run.slice?.profile ?? 'whole'].join('/');
    const ratios = activity.get(kind) ?? [];
    activity.set(kind, ratios);
    const pod = run.pod?.pod ?? nameOf(run);
    for (const minute of inWindow(run)) {
      const value = run.memory(minute);
      if (value !== undefined && isMemory(value)) {
        memory.push(value);
        seen.add(minute);
        const others = beside.filter(({ from, to }) => minute >= from && minute < to);
        const theirs = others.map((other) => other.memory(minute) ?? NaN).filter(isMemory);
        if (theirs.length > 0 && run.pod !== null) shared.samples += 1;
        if (theirs.includes(value) && run.pod !== null) shared.identical += 1;
        if (run.pod !== null) for (const other of others) shared.others.add(nameOf(other));
        set(podsAt, minute).add(pod);
        const where = run.slice === null ? devicesAt.gpus : devicesAt.slices;
        set(where, `${minute} ${pod}`).add(`${run.card.uuid} ${run.slice?.id ?? ''}`);
      } else if (value !== undefined) {
        dropped[Number.isFinite(value) ? 'sentinel' : 'notFinite'] += 1;
      }
      const ratio = run.activity(minute);
      if (ratio === undefined) continue;
      if (ratio / percent > 2) dropped.sentinel += 1;
      else ratios.push(Math.min(1, ratio / percent));
    }
  }
  const { pod } = first;
  return {
    name: nameOf(first),
    namespace: pod?.namespace ?? null,
    owner: pod === null ? null : { kind: pod.kind, via: pod.owners === null ? 'name' : 'kube-state-metrics' },
    memory: statsOf(memory),
    activity: new Map(
      [...activity].flatMap(([kind, values]) =>
        values.length === 0 ? [] : [[kind, statsOf(values)!] as const],
      ),
    ),
    replicas: { seen: new Set(members.map((run) => run.pod?.pod ?? '')).size, atOnce: mostOf(podsAt) },
    devicesAtOnce: { gpus: mostOf(devicesAt.gpus), slices: mostOf(devicesAt.slices) },
    shared: { ...shared, others: [...shared.others].sort() },
    dropped,
    minutesSeen: seen.size,
  };
}

function set<K>(sets: Map<K, Set<string>>, key: K): Set<string> {
  let found = sets.get(key);
  if (found === undefined) {
    found = new Set();
    sets.set(key, found);
  }
  return found;
}

function mostOf(sets: ReadonlyMap<unknown, ReadonlySet<string>>): number {
  let most = 0;
  for (const { size } of sets.values()) most = Math.max(most, size);
  return most;
}

function statsOf(values: number[]): TrueStats | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (part: number): number => {
    const position = part * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!];
    return below + (above - below) * (position - Math.floor(position));
  };
  return {
    samples: sorted.length,
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    ...{ p50: at(0.5), p75: at(0.75), p95: at(0.95), p99: at(0.99), max: at(1) },
  };
}
