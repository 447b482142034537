/** The tables that `kubectl get` prints: columns of the kinds that people look at, and of custom resources. */
import type { Json } from './json.js';
import type { Resource } from './resources.js';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly priority: number;
  readonly cell: (object: Json, now: number) => Json;
}

const column = (name: string, cell: Column['cell'], priority = 0, type = 'string'): Column => ({
  name,
  cell,
  priority,
  type,
});
const age = column('Age', ({ metadata }, now) => ageText(metadata.creationTimestamp, now));
const name = column('Name', ({ metadata }) => metadata.name);

const columnsOf: Readonly<Record<string, readonly Column[]>> = {
  Pod: [
    column('Ready', ({ status, spec }) => {
      const ready = (status?.containerStatuses ?? []).filter((one: Json) => one.ready).length;
      return `${String(ready)}/${String(spec?.containers?.length ?? 0)}`;
    }),
    column('Status', ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined ? (status?.reason ?? status?.phase ?? '') : 'Terminating',
    ),
    column('Restarts', ({ status }) =>
      String(
        (status?.containerStatuses ?? []).reduce(
          (sum: number, one: Json) => sum + Number(one.restartCount),
          0,
        ),
      ),
    ),
    age,
    column('IP', ({ status }) => status?.podIP ?? '<none>', 1),
    column('Node', ({ spec }) => spec?.nodeName ?? '<none>', 1),
    column('Nominated Node', ({ status }) => status?.nominatedNodeName ?? '<none>', 1),
    column('Readiness Gates', () => '<none>', 1),
  ],
  Node: [
    column('Status', ({ spec, status }) => {
      const ready = status?.conditions?.find((one: Json) => one.type === 'Ready');
      const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
      return spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
    }),
    column('Roles', ({ metadata }) => {
      const prefix = 'node-role.kubernetes.io/';
      const roles = Object.keys(metadata.labels ?? {}).filter((key) => key.startsWith(prefix));
      return roles.map((key) => key.slice(prefix.length)).join(',') || '<none>';
    }),
    age,
    column('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
    column(
      'Internal-IP',
      ({ status }) => status?.addresses?.find((one: Json) => one.type === 'InternalIP')?.address ?? '<none>',
      1,
    ),
  ],
  Namespace: [column('Status', ({ status }) => status?.phase ?? ''), age],
  ConfigMap: [column('Data', ({ data, binaryData }) => Object.keys({ ...data, ...binaryData }).length), age],
  Secret: [
    column('Type', ({ type }) => type),
    column('Data', ({ data }) => Object.keys(data ?? {}).length),
    age,
  ],
  Deployment: [
    column('Ready', ({ spec, status }) => `${String(status?.readyReplicas ?? 0)}/${String(spec.replicas)}`),
    column('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    column('Available', ({ status }) => status?.availableReplicas ?? 0),
    age,
  ],
  Event: [
    column('Last Seen', ({ lastTimestamp, eventTime, metadata }, now) =>
      ageText(lastTimestamp ?? eventTime ?? metadata.creationTimestamp, now),
    ),
    column('Type', ({ type }) => type ?? ''),
    column('Reason', ({ reason }) => reason ?? ''),
    column('Object', ({ involvedObject, regarding }) => {
      const about = involvedObject ?? regarding ?? {};
      return `${String(about.kind ?? '').toLowerCase()}/${String(about.name ?? '')}`;
    }),
    column('Message', ({ message, note }) => (message ?? note ?? '').trim()),
  ],
  PodDisruptionBudget: [
    column('Min Available', ({ spec }) => String(spec.minAvailable ?? 'N/A')),
    column('Max Unavailable', ({ spec }) => String(spec.maxUnavailable ?? 'N/A')),
    column('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed ?? 0),
    age,
  ],
  Lease: [column('Holder', ({ spec }) => spec?.holderIdentity ?? ''), age],
  CustomResourceDefinition: [column('Created At', ({ metadata }) => metadata.creationTimestamp)],
};

function columns(resource: Resource): readonly Column[] {
  if (resource.custom === undefined) {
    const own = columnsOf[resource.kind] ?? [age];
    return resource.kind === 'Event' ? own : [name, ...own];
  }
  const printed = resource.custom.columns.map(({ name: title, jsonPath, priority = 0, type }) =>
    column(title, (object, now) => cellOf(valueAt(object, jsonPath), type, now), priority, type),
  );
  return printed.length === 0 ? [name, age] : [name, ...printed];
}

const cellOf = (value: Json, type: string, now: number): Json =>
  type === 'date' && value !== undefined ? ageText(value, now) : (value ?? null);

/** `.status.conditions[?(@.type=="Ready")].status` and plain paths. */
function valueAt(object: Json, path: string): Json {
  let at = object;
  for (const part of path.match(/\[\?\(@\.(\w+)==["'][^"']*["']\)\]|\[\d+\]|(?:\\\.|[^.[\]])+/g) ?? []) {
    const filter = /^\[\?\(@\.(\w+)==["'](.*)["']\)\]$/.exec(part);
    const index = /^\[(\d+)\]$/.exec(part);
    if (filter !== null)
      at = Array.isArray(at) ? at.find((one: Json) => String(one[filter[1] ?? '']) === filter[2]) : undefined;
    else at = at?.[index === null ? part.replaceAll('\\.', '.') : Number(index[1])];
  }
  return at;
}

export function table(
  resource: Resource,
  objects: readonly Json[],
  include: string,
  now: number,
  metadata: Json,
  headers = true,
): Json {
  const shown = columns(resource);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: headers
      ? shown.map(({ name: title, type, priority }) => ({
          name: title,
          type,
          format: title === 'Name' ? 'name' : '',
          description: '',
          priority,
        }))
      : null,
    rows: objects.map((object) => ({
      cells: shown.map(({ cell }) => cell(object, now)),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partial(object) }),
    })),
  };
}

export const partial = ({ metadata }: Json): Json => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
});

/** 45s, 12m, 5h, 3d, as kubectl counts. */
function ageText(since: string | undefined, now: number): string {
  if (since === undefined) return '<unknown>';
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
