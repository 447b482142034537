/** Whether one GPU can become what is wanted, decided wholly before anything is touched. */
import { checkLayout, type CheckedCard } from '#core/geometry/check';
import { asArgument } from '#core/geometry/placement';
import {
  stateOf,
  wayTo,
  type CardState,
  type GpuAction,
  type LiveGpu,
  type LiveInstance,
} from '#core/plan/gpu-actions';
import { isSamePlace } from '#core/plan/steps';
import type { GpuInfo } from '#ports/gpu-driver';
import { asWanted, cardFor, type KnownCard } from './card.js';
import { instancesOf, liveInstance, type Looked } from './look.js';
import type { ChangeOptions, Wish } from './options.js';
import type { ChangePorts } from './ports.js';
import { ownedOn } from './recall.js';
import { isMarked, marksOf, type GpuIntent, type PastChange } from './records.js';

/** A GPU that can become what is wanted, as far as anybody can say beforehand. */
export interface JudgedGpu {
  readonly intent: GpuIntent;
  readonly live: LiveGpu;
  readonly steps: readonly GpuAction[];
  /** Instances that must go, and so must be free. */
  readonly going: readonly LiveInstance[];
  /** Also what runs outside instances is in the way: the mode changes, or the first instance is made. */
  readonly needsIdleGpu: boolean;
  /** `false`: the card's profiles show only when MIG is on, so the layout is checked again then. */
  readonly checked: boolean;
}

export async function judgeGpu(
  { driver, processes }: ChangePorts,
  info: GpuInfo,
  want: Wish,
  options: ChangeOptions,
  changes: readonly PastChange[],
): Promise<Looked<JudgedGpu>> {
  const found = await instancesOf(driver, info);
  if (!found.ok) return found;
  const live: LiveGpu = {
    mig: info.mig ?? { current: false, pending: false },
    instances: found.value.map(liveInstance),
  };
  if (info.mig === null && want.mig) {
    return refuse('no-mig', `${info.name} has no MIG; leave it whole`);
  }
  const card = await cardFor(driver, info);
  if (!card.ok) return card;
  const wanted = targetOf(want, card.value);
  if (!wanted.ok) return wanted;
  const { actions } = wayTo(wanted.value, live);
  const switches = actions.some(({ kind }) => kind === 'set-mode' || kind === 'reset');
  if (switches && options.allowModeChange === false) {
    return refuse(
      'mode',
      `MIG would have to be ${want.mig ? 'enabled' : 'disabled'}, which is not allowed here`,
    );
  }
  const owned = ownedOn(changes, info.uuid, live.instances, processes.bootId());
  const going = live.instances.filter((one) =>
    actions.some((action) => action.kind === 'destroy-instance' && action.instanceId === one.id),
  );
  const foreign = going.filter(
    (one) => !owned.some((mark) => isMarked(one, mark)) && !mayDestroy(options, info, one),
  );
  if (foreign.length > 0) return refuseForeign(foreign);
  const creates = actions.some(({ kind }) => kind === 'create-instance');
  return {
    ok: true,
    value: {
      intent: {
        uuid: info.uuid,
        index: info.index,
        before: stateOf(live),
        wanted: wanted.value,
        seen: marksOf(live.instances),
        owned,
        profileIds: idsOf(card.value, wanted.value, found.value),
      },
      live,
      steps: actions,
      going,
      needsIdleGpu: switches || (creates && going.length === live.instances.length),
      checked: card.value !== null,
    },
  };
}

/** The wanted layout in the driver's own words, if the card can hold it. */
export function targetOf(want: Wish, card: KnownCard | null): Looked<CardState> {
  if (!want.mig) return { ok: true, value: { mig: false } };
  if (card === null) {
    // Sizes are not known yet; nothing but the first look is decided with them.
    return {
      ok: true,
      value: { mig: true, placements: want.placements.map((place) => ({ ...place, size: 1 })) },
    };
  }
  const asks = want.placements.map(({ profile, start }) => ({ profile: asWanted(card, profile), start }));
  const answer = checkLayout(card satisfies CheckedCard, asks);
  if (!answer.ok) return { ok: false, why: { kind: answer.why.kind, message: answer.why.message } };
  return { ok: true, value: { mig: true, placements: answer.placements } };
}

function mayDestroy({ mayDestroyForeign = [] }: ChangeOptions, info: GpuInfo, one: LiveInstance): boolean {
  if (mayDestroyForeign === 'all') return true;
  return mayDestroyForeign.some(
    (named) => (named.gpu === info.index || named.gpu === info.uuid) && isSamePlace(named, one.placement),
  );
}

function refuseForeign(foreign: readonly LiveInstance[]): Looked<never> {
  const instances = foreign.map(({ placement }) => placement);
  const [names, verb] = [instances.map(asArgument).join(', '), instances.length === 1 ? 'was' : 'were'];
  const message = `${names} ${verb} not made by Mica and would have to go; name ${instances.length === 1 ? 'it' : 'them'} to allow that, or keep ${instances.length === 1 ? 'it' : 'them'} in the layout`;
  return { ok: false, why: { kind: 'foreign', message, instances } };
}

function idsOf(
  card: KnownCard | null,
  wanted: CardState,
  instances: readonly { readonly profileId: number; readonly placement: { readonly profile: string } }[],
): Readonly<Record<string, number>> {
  const ids = Object.fromEntries(instances.map(({ placement, profileId }) => [placement.profile, profileId]));
  const names = new Set(wanted.mig ? wanted.placements.map(({ profile }) => profile) : []);
  for (const { name, id } of card?.profiles ?? []) if (names.has(name)) ids[name] = id;
  return ids;
}

function refuse(kind: 'no-mig' | 'mode', message: string): Looked<never> {
  return { ok: false, why: { kind, message } };
}
