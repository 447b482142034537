/** Series become workloads: the pods of one owner together, with the figures over all of their samples. */
import { addDropped, nothingDropped } from './believe.js';
import { finishActivity, isUtilizationInPercent } from './finish-activity.js';
import type {
  Coverage,
  Device,
  DeviceClass,
  DeviceHolder,
  Dropped,
  ObservedWorkload,
  Owner,
} from './observation.js';
import { isSharedOutOfOrder } from './out-of-order.js';
import { SampleBag } from './sample-bag.js';
import type { Series } from './series.js';
import type { Stats } from './stats.js';
import { TimelineBuilder } from './timeline.js';
import { joinedSpans, mostAtOnce, type Span } from './spans.js';
import { joinedCoverage } from './time-track.js';
import { MicaError } from '../errors.js';

export interface PodName {
  readonly namespace: string;
  readonly pod: string;
}

export interface Gathered {
  readonly workloads: readonly ObservedWorkload[];
  /** By `deviceKey`. */
  readonly holders: ReadonlyMap<string, readonly DeviceHolder[]>;
  readonly notes: readonly string[];
}

export function gatherWorkloads(all: readonly Series[], ownerOf: (pod: PodName) => Owner | null): Gathered {
  const { shown, notes } = withoutIdle(all.filter((series) => !series.isEmpty));
  const groups = new Map<string, Group>();
  const groupOf = new Map<Series, Group>();
  for (const series of shown) {
    const identity = identify(series, ownerOf);
    const key = JSON.stringify([identity.namespace, identity.owner?.kind, identity.workload, identity.apart]);
    const group = groups.get(key) ?? { ...identity, members: [] };
    groups.set(key, group);
    group.members.push(series);
    groupOf.set(series, group);
  }
  const inPercent = isUtilizationInPercent(shown);
  // Asked before the first group gives up its samples.
  const others = new Map([...groups.values()].map((group) => [group, namesBeside(group, groupOf)]));
  const holders = holdersOf([...groups.values()]);
  const workloads = [...groups.values()].map((group) => {
    const observed = observe(group, others.get(group)!, inPercent);
    for (const series of group.members) series.release();
    return observed;
  });
  return {
    workloads: workloads.sort(byName),
    holders,
    notes: [...notes, ...notesOn(shown, [...groups.values()])],
  };
}

/** The workloads of each device; pods of one workload that follow one another are one holder. */
function holdersOf(groups: readonly Group[]): ReadonlyMap<string, readonly DeviceHolder[]> {
  const holders = new Map<string, DeviceHolder[]>();
  for (const { workload, namespace, owner, members } of groups) {
    const spans = new Map<string, Span[]>();
    for (const series of members) for (const span of spansOf(series)) addTo(spans, series.deviceKey, span);
    for (const [device, there] of spans)
      addTo(holders, device, { workload, namespace, owner, spans: joinedSpans(there, 0) });
  }
  for (const there of holders.values()) there.sort(byName);
  return holders;
}

interface Identity {
  readonly workload: string;
  readonly namespace: string | null;
  readonly owner: Owner | null;
  /** Keeps apart what has the same name by chance. */
  readonly apart: string;
}

interface Group extends Identity {
  readonly members: Series[];
}

/** More than an idle card or slice shows (2 to 70 MiB), so that somebody must be there. */
const idleMiB = 128;

/** Devices of nobody are workloads where the source names nobody at all, or where somebody must have been there. */
function withoutIdle(all: readonly Series[]): { shown: readonly Series[]; notes: readonly string[] } {
  if (!all.some(({ holder }) => holder.kind !== 'nobody')) return { shown: all, notes: [] };
  const isUsed = (series: Series): boolean =>
    (series.finished?.memory?.stats.max ?? series.figures.get('memory')?.bag.largest ?? 0) > idleMiB;
  const shown = all.filter((series) => series.holder.kind !== 'nobody' || isUsed(series));
  const unnamed = shown.filter(({ holder }) => holder.kind === 'nobody');
  if (unnamed.length === 0) return { shown, notes: [] };
  const names = unnamed.map(({ device }) => deviceName(device)).sort();
  const listed = names.length > 5 ? [...names.slice(0, 5), `${names.length - 5} more`] : names;
  const notes = [
    `Memory was in use while nobody was named for it (pod labels are missing) on ${listed.join(', ')}.`,
  ];
  return { shown, notes };
}

function identify({ holder, device }: Series, ownerOf: (pod: PodName) => Owner | null): Identity {
  switch (holder.kind) {
    case 'pod': {
      const { namespace, pod } = holder;
      const owner = ownerOf({ namespace, pod });
      return { workload: owner?.name ?? pod, namespace: namespace || null, owner, apart: 'pod' };
    }
    case 'named':
      return { workload: holder.workload, namespace: holder.namespace, owner: null, apart: 'named' };
    case 'process':
      return { workload: baseName(holder.name), namespace: null, owner: null, apart: 'process' };
    case 'nobody':
      return { workload: deviceName(device), namespace: null, owner: null, apart: 'device' };
  }
}

/** `HOST/gpu-N[/gi-M]`. */
export function deviceName({ host, gpuIndex, gpuUuid, slice }: Device): string {
  const gpu = gpuIndex === null ? (gpuUuid ?? 'gpu') : `gpu-${gpuIndex}`;
  const instance = slice === null ? [] : [`gi-${slice.instanceId ?? slice.profile ?? '?'}`];
  return [...(host === null ? [] : [host]), gpu, ...instance].join('/');
}

/** Processes go by their paths, some with arguments behind. */
function baseName(path: string): string {
  return /^\/(?:[^ /]*\/)*([^ /]+)/.exec(path.trim())?.[1] ?? path.trim();
}

/** What stands for a pod: what must be of one machine and of one name. */
function replicaOf({ holder, device, deviceKey }: Series): string {
  switch (holder.kind) {
    case 'pod':
      return JSON.stringify([holder.namespace, holder.pod]);
    case 'named':
      return JSON.stringify([holder.pod, holder.pod === null ? device.host : null]);
    case 'process':
      return JSON.stringify([device.host, holder.pid]);
    case 'nobody':
      return deviceKey;
  }
}

function observe(group: Group, others: readonly string[], inPercent: boolean): ObservedWorkload {
  const { workload, namespace, owner, members } = group;
  const classes = classesOf(members);
  const replicas = byReplica(members);
  const unnamed = members.filter(isUncounted).map((series) => series.mainTrack().mostAtOneTime);
  const uncounted = largest(unnamed);
  const coverage = coverageOf(members);
  return {
    ...{ workload, namespace, owner, coverage },
    devices: classes.map(({ members: _, ...one }) => one),
    activity: finishActivity(classes, inPercent),
    // After what needs their times: the samples are gone afterwards.
    timeline: timelineOf(members),
    memory: memoryOf(members),
    replicas: {
      seen: Math.max(replicas.length, uncounted),
      atOnce: Math.max(mostAtOnce(replicas.map((one) => one.flatMap(spansOf))), uncounted),
    },
    devicesAtOnce: {
      gpus: largest(replicas.map((one) => devicesAtOnce(one, false))),
      slices: largest(replicas.map((one) => devicesAtOnce(one, true))),
    },
    shared: {
      samples: members.reduce((sum, { shared }) => sum + shared, 0),
      identical: members.reduce((sum, { identical }) => sum + identical, 0),
      others,
    },
    dropped: members.reduce<Dropped>((sum, { dropped }) => addDropped(sum, dropped), nothingDropped),
  };
}

/** Rows of one name at one time, with nothing that tells them apart. */
function isUncounted({ holder, device }: Series): boolean {
  return (
    holder.kind === 'named' && holder.pod === null && device.gpuUuid === null && device.gpuIndex === null
  );
}

function classesOf(members: readonly Series[]): (DeviceClass & { readonly members: readonly Series[] })[] {
  const classes = new Map<string, Series[]>();
  for (const series of members) {
    const { model, productName, slice } = series.device;
    addTo(
      classes,
      classKey({ model, productName, profile: slice === null ? null : (slice.profile ?? '?') }),
      series,
    );
  }
  return [...classes.values()]
    .map((group) => {
      const { model, productName, slice } = group[0]!.device;
      const samples = group.reduce((sum, one) => sum + one.samples, 0);
      return {
        model,
        productName,
        profile: slice === null ? null : (slice.profile ?? '?'),
        samples,
        members: group,
      };
    })
    .sort((a, b) => b.samples - a.samples || compare(classKey(a), classKey(b)));
}

function classKey({ model, productName, profile }: Omit<DeviceClass, 'samples'>): string {
  return JSON.stringify([model ?? '', productName ?? '', profile ?? '']);
}

function byReplica(members: readonly Series[]): readonly (readonly Series[])[] {
  const replicas = new Map<string, Series[]>();
  for (const series of members) {
    addTo(replicas, replicaOf(series), series);
  }
  return [...replicas.values()];
}

/** Containers of one pod may hold one device together. */
function devicesAtOnce(replica: readonly Series[], slices: boolean): number {
  const devices = new Map<string, Span[]>();
  for (const series of replica) {
    if ((series.device.slice !== null) !== slices) continue;
    for (const span of spansOf(series)) addTo(devices, series.deviceKey, span);
  }
  return mostAtOnce([...devices.values()]);
}

function spansOf(series: Series): readonly Span[] {
  if (series.finished === null) return series.mainTrack().spans();
  const { firstMs, lastMs } = series.finished.coverage;
  return [{ startMs: firstMs, endMs: lastMs }];
}

function coverageOf(members: readonly Series[]): Coverage {
  const parts = members.flatMap((series) => {
    const coverage = series.finished?.coverage ?? series.mainTrack().coverage();
    return coverage === null ? [] : [{ coverage, samples: Math.max(1, series.samples) }];
  });
  return joinedCoverage(parts) ?? nothingCovered;
}

const nothingCovered: Coverage = {
  ...{ firstMs: 0, lastMs: 0, everyMs: null, missingMs: 0, largestGapMs: 0, backwards: 0 },
};

function timelineOf(members: readonly Series[]) {
  const joined = new TimelineBuilder();
  for (const series of members) joined.merge(series.finished?.memory?.timeline ?? series.timeline.finish());
  return joined.finish();
}

function memoryOf(members: readonly Series[]): Stats | null {
  const [one, another] = members;
  if (one?.finished != null && another === undefined) return one.finished.memory?.stats ?? null;
  if (members.some(({ finished }) => finished !== null)) {
    throw new MicaError('internal', 'figures that a server made cannot be joined with other series');
  }
  return new SampleBag().finish(members.flatMap(({ figures }) => figures.get('memory')?.bag ?? []));
}

function namesBeside({ members }: Group, groupOf: ReadonlyMap<Series, Group>): readonly string[] {
  const names = new Set<string>();
  for (const series of members) {
    for (const other of series.sharedWith)
      names.add(groupOf.get(other)?.workload ?? deviceName(other.device));
  }
  return [...names].sort();
}

function notesOn(shown: readonly Series[], groups: readonly Group[]): readonly string[] {
  const guessed = groups.filter(({ owner }) => owner?.via === 'name').length;
  return [
    ...(guessed === 0
      ? []
      : [
          `Who owns the pods of ${guessed === 1 ? '1 workload' : `${guessed} workloads`} is guessed from the pods' names.`,
        ]),
    ...(isSharedOutOfOrder(shown)
      ? [
          'Samples of one GPU are not in the order of time, so pods that share it by time-slicing, or a card that is counted beside its slices, may not be recognised: sort them by time.',
        ]
      : []),
  ];
}

type Named = Pick<ObservedWorkload, 'workload' | 'namespace' | 'owner'>;

function byName(one: Named, other: Named): number {
  return compare(nameKey(one), nameKey(other));
}

/** A Deployment and a Job may have one name. */
function nameKey({ namespace, workload, owner }: Named): string {
  return [namespace ?? '', workload, owner?.kind ?? ''].join('/');
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function addTo<T>(groups: Map<string, T[]>, key: string, item: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}

/** Of none: 0. There may be more values than a call takes arguments. */
function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
