/** A cluster on a screen: each GPU node with its slices, then what is free, then what waits and why. */
import { modelByKey } from '#core/catalogue/catalogue';
import { shortName } from '#core/catalogue/short-name';
import type { GpuResources } from '#core/cluster/objects';
import { freeOf } from '#core/cluster/why-pending';
import { drawSlices } from '../../draw/slices.js';
import { wrapped } from '../../draw/wrapped.js';
import { printable, type Screen } from '../../terminal/screen.js';
import { tableOf, type Column } from '../../terminal/table.js';
import type { SeenCluster, SeenNode, SeenOffer, WaitingPod } from './see-cluster.js';

const mostNodes = 20;
const mostWaiting = 10;

export function describeCluster(screen: Screen, seen: SeenCluster, all: boolean): string {
  if (seen.nodes.length === 0) {
    const none = 'No node of this cluster has a GPU that Mica can see.';
    return [none, ...waitingPods(screen, seen.waiting, all)].join('\n\n');
  }
  const shown = all ? seen.nodes : seen.nodes.slice(0, mostNodes);
  const left = seen.nodes.length - shown.length;
  const more = left === 0 ? [] : [`and ${left} more ${left === 1 ? 'node' : 'nodes'}; --all shows them`];
  return [
    ...shown.map((node) => nodeInWords(screen, node)),
    ...more,
    freeSlices(screen, seen),
    ...waitingPods(screen, seen.waiting, all),
  ].join('\n\n');
}

const indent = '  ';

function nodeInWords(screen: Screen, seen: SeenNode): string {
  const { style, columns } = screen;
  const { node, troubles, migConfig, machineType } = seen;
  const name = printable(node.name);
  const facts = [
    cardOf(seen),
    whoCuts(seen),
    ...(seen.pool === null ? [] : [`pool ${seen.pool}`]),
    ...(machineType === null ? [] : [machineType]),
    ...(migConfig === null ? [] : [`${migConfig.name}: ${migConfig.state ?? 'no state'}`]),
  ].map(printable);
  const head = wrapped([name, ...facts].join(' · '), columns, indent);
  const styled = style.bold(head.slice(0, name.length)) + head.slice(name.length);
  const rows = drawSlices(seen.offers.map(slicesOf), columns - indent.length);
  const remarks = [
    ...(node.isCordoned ? ['cordoned: takes no new pods'] : []),
    ...(seen.offers.length === 0 ? ['offers no GPU and no slice'] : []),
    ...troubles,
  ];
  return [
    styled,
    ...rows.map((row) => `${indent}${row}`.trimEnd()),
    ...remarks.map((remark) => {
      const text = wrapped(`! ${printable(remark)}`, columns - indent.length, indent);
      return style.yellow(text.replace(/^/gm, indent));
    }),
  ].join('\n');
}

function cardOf({ model, product, gpus }: SeenNode): string {
  const card = model === null ? (product ?? 'unknown GPU') : shortName(model);
  return gpus === null ? card : `${gpus} x ${card}`;
}

const partitioners = {
  gke: 'GKE',
  'gpu-operator': 'GPU Operator',
  dra: 'DRA',
  'device-plugin': 'device plugin',
} as const;

function whoCuts({ partitioner, strategy }: SeenNode): string {
  return strategy === null ? partitioners[partitioner] : `${partitioners[partitioner]}, ${strategy}`;
}

function slicesOf(offer: SeenOffer) {
  const { profile, capacity, allocatable, clients, users } = offer;
  return {
    label: profile ?? 'whole GPU',
    users: users.map(printable),
    free: freeOf(offer),
    gone: Math.max(0, capacity - Math.max(allocatable, users.length)),
    remark: clients > 1 ? `${clients} pods share each` : '',
  };
}

const freeColumns: readonly Column[] = [
  { head: 'SLICE' },
  { head: 'CARD' },
  { head: 'FREE', align: 'right' },
  { head: 'ON NODES', align: 'right' },
  { head: 'USED', align: 'right' },
  { head: 'SHUT', align: 'right' },
];

/** `SHUT`: free, on nodes that take no pods now; left out where there is none. */
function freeSlices(screen: Screen, { free }: SeenCluster): string {
  if (free.length === 0) return 'Nothing is offered.';
  const isAnyShut = free.some(({ shut }) => shut > 0);
  const rows = free.map((one) => [
    one.profile ?? 'whole GPU',
    printable(cardName(one.card)),
    String(one.free),
    String(one.freeNodes),
    String(one.used),
    ...(isAnyShut ? [String(one.shut)] : []),
  ]);
  return tableOf(screen, isAnyShut ? freeColumns : freeColumns.slice(0, -1), rows);
}

function cardName(key: string): string {
  const model = modelByKey(key);
  return model === undefined ? key || 'unknown GPU' : shortName(model);
}

/** Pods of one owner that wait for the same reason stand together. */
function waitingPods(screen: Screen, waiting: readonly WaitingPod[], all: boolean): readonly string[] {
  if (waiting.length === 0) return [];
  const groups = new Map<string, WaitingPod[]>();
  for (const one of waiting) {
    const { namespace, controller, uid, wants } = one.pod;
    const key = JSON.stringify([namespace, controller?.uid ?? uid, wants, one.why.message]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const shown = [...groups.values()].slice(0, all ? undefined : mostWaiting);
  const left = groups.size - shown.length;
  const lines = shown.map((group) => wrapped(printable(inWords(group)), screen.columns, indent));
  const title = `${waiting.length} ${waiting.length === 1 ? 'pod waits' : 'pods wait'}`;
  return [
    [
      screen.style.bold(title),
      ...lines,
      ...(left === 0 ? [] : [`and ${left} more of other kinds; --all shows them`]),
    ].join('\n'),
  ];
}

function inWords([first, ...others]: readonly WaitingPod[]): string {
  if (first === undefined) return '';
  const { pod, why } = first;
  const { controller, namespace, name } = pod;
  const who =
    others.length === 0 || controller === null
      ? `${namespace}/${name}`
      : `${others.length + 1} pods of ${controller.kind} ${namespace}/${controller.name}`;
  return `${who} (${wantsInWords(pod.wants, pod.claims)}): ${why.message}`;
}

function wantsInWords(wants: GpuResources, claims: readonly string[]): string {
  const counted = Object.entries(wants).map(([resource, count]) =>
    count === 1 ? resource : `${count} ${resource}`,
  );
  return [...counted, ...claims.map((claim) => `claim ${claim}`)].join(', ');
}
