/** Cards drawn before and after: equal ones once, with how many there are. */
import { modelByKey } from '#core/catalogue/catalogue';
import { asNvidiaSpells } from '#core/catalogue/profile-name';
import type { Observation, ObservedGpu } from '../observe/observation.js';
import type { Assessment } from './assess.js';
import type { DeviceChoice, DrawnGpu } from './answer.js';
import { displayName } from './demand.js';
import { sliceOf } from './device.js';
import type { DrawnCard } from './place-demands.js';
import { cardNow } from './stock.js';

/** Grouped; the most frequent first. */
export function grouped(cards: readonly DrawnCard[]): readonly DrawnGpu[] {
  const groups = new Map<string, { count: number; card: DrawnCard }>();
  for (const card of cards) {
    const key = JSON.stringify([card.model, card.slices]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { count: 1, card });
    else known.count += 1;
  }
  return [...groups.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ count, card: { model, slices, gridUnits } }) => ({ count, model, slices, gridUnits }));
}

/**
 * The cards as they are. Which of several alike a workload is on is not in the figures, so they are filled in the
 * order of the workloads' names; a workload too many takes turns with the first.
 */
export function cardsBefore(
  { gpus }: Observation,
  assessments: readonly Assessment[],
  usual: string | null,
): readonly DrawnCard[] {
  if (gpus.length === 0) return assumedCards(assessments, usual);
  const devices = gpus.toSorted(byPlace).map((gpu) => ({ gpu, held: devicesOf(gpu) }));
  const free = new Map<string, string[][]>();
  // Devices that nobody was seen on are filled last.
  for (const { held } of [...devices].sort((a, b) => Number(isFree(a.gpu)) - Number(isFree(b.gpu)))) {
    for (const { device, names } of held) {
      const key = keyOf(device);
      free.set(key, [...(free.get(key) ?? []), names]);
    }
  }
  for (const { judged, ...rest } of assessments) {
    const seats = free.get(keyOf(judged.current)) ?? [];
    const name = displayName({ judged, ...rest });
    for (let seat = 0; seat < judged.replicas * judged.devicesEach && seats.length > 0; seat += 1) {
      const next = seats.shift() ?? [];
      if (!next.includes(name)) next.push(name);
      seats.push(next);
    }
  }
  return devices.map(({ gpu, held }) => ({
    model: gpu.model,
    gridUnits: gridOf(gpu.model),
    slices: held.map(({ device, names }) => ({
      profile: device.profile,
      start: null,
      sizeUnits: sliceOf(device)?.profile.sizeUnits ?? null,
      workloads: names,
    })),
  }));
}

function devicesOf({ model, slices }: ObservedGpu): readonly { device: DeviceChoice; names: string[] }[] {
  if (slices.length === 0) return [{ device: { model, profile: null }, names: [] }];
  return slices.map(({ profile }) => ({
    device: { model, profile: profile === null ? 'not known' : asNvidiaSpells(profile) },
    names: [],
  }));
}

/** One card a replica, as the stock counts them. */
function assumedCards(assessments: readonly Assessment[], usual: string | null): readonly DrawnCard[] {
  return assessments.flatMap((one) => {
    const { current, replicas, devicesEach } = one.judged;
    const model = cardNow(one, usual);
    const slice = {
      profile: current.profile,
      start: null,
      sizeUnits: sliceOf(current)?.profile.sizeUnits ?? null,
      workloads: [displayName(one)],
    };
    const card = { model, gridUnits: gridOf(model), slices: [slice] };
    return Array<DrawnCard>(replicas * devicesEach).fill(card);
  });
}

function isFree({ heldSamples }: ObservedGpu): boolean {
  return heldSamples === 0;
}

function byPlace(a: ObservedGpu, b: ObservedGpu): number {
  const [x, y] = [a, b].map(({ host, index, uuid }) =>
    [host ?? '', String(index ?? 0).padStart(4, '0'), uuid].join('/'),
  );
  return (x ?? '') < (y ?? '') ? -1 : 1;
}

function keyOf({ model, profile }: DeviceChoice): string {
  return `${model ?? ''}/${profile ?? ''}`;
}

function gridOf(model: string | null): number | null {
  const card = model === null ? undefined : modelByKey(model);
  return card?.kind === 'mig' ? card.gridUnits : null;
}
