/** Wishes -> places on the GPUs that are there; what a card cannot be is refused here, before anything is touched. */
import { MicaError } from '#core/errors';
import { placeBeside } from '#core/plan/place-beside';
import type { GpuOutcome, Why } from '#engines/change/answer';
import { asWanted } from '#engines/change/card';
import type { WantedGpu } from '#engines/change/options';
import { processesIn, type SeenGpu } from './see-gpus.js';
import type { GpuWish } from './wishes.js';

export interface Placed {
  readonly wanted: readonly WantedGpu[];
  readonly refused: readonly GpuOutcome[];
}

/** Throws MicaError where a GPU does not answer, or the wish was for another card. */
export function placeWishes(seen: readonly SeenGpu[], wishes: readonly GpuWish[]): Placed {
  const wanted: WantedGpu[] = [];
  const refused: GpuOutcome[] = [];
  for (const { index, asks, model } of wishes) {
    const gpu = seen.find(({ info }) => info.index === index);
    if (gpu === undefined) {
      refused.push(
        refusal(index, null, { kind: 'unknown-gpu', message: `this machine has no GPU ${index}` }),
      );
      continue;
    }
    const { info, card, instances, troubles } = gpu;
    if (troubles[0] !== undefined) throw new MicaError('driver-failed', `GPU ${index}: ${troubles[0]}`);
    if (model !== undefined && gpu.model !== null && gpu.model.key !== model) {
      throw new MicaError(
        'bad-document',
        `GPU ${index} is of model ${gpu.model.key}; the plan is for ${model}`,
        {
          next: 'Say which machine of the plan this is with --node NAME.',
        },
      );
    }
    if (asks === null) wanted.push({ gpu: index, want: { mig: false } });
    else if (info.mig === null) {
      const message = `${info.name} has no MIG; leave it whole`;
      refused.push(refusal(index, info.uuid, { kind: 'no-mig', message }));
    } else if (card === null) {
      const placements = asks.flatMap(({ profile, start }) =>
        start === undefined ? [] : { profile, start },
      );
      if (placements.length === asks.length) wanted.push({ gpu: index, want: { mig: true, placements } });
      else refused.push(refusal(index, info.uuid, unknownCard(info.name)));
    } else {
      const answer = placeBeside(
        card,
        asks.map((ask) => ({ ...ask, profile: asWanted(card, ask.profile) })),
        instances.map(({ id, placement }) => ({ placement, busy: processesIn(gpu, id).length > 0 })),
      );
      if (answer.ok) wanted.push({ gpu: index, want: { mig: true, placements: answer.placements } });
      else {
        const { kind, message } = answer.why;
        refused.push(refusal(index, info.uuid, { kind, message }));
      }
    }
  }
  return { wanted, refused };
}

/** Nobody else is touched where one is refused, unless each GPU goes for itself. */
export function refusedTogether(placed: Placed, seen: readonly SeenGpu[]): readonly GpuOutcome[] {
  const [first] = placed.refused;
  const message = `all or nothing, and GPU ${first?.index ?? 'named'} was refused: ${first?.why?.message ?? ''}`;
  const others = placed.wanted.map(({ gpu }) => {
    const uuid = seen.find(({ info }) => info.index === gpu)?.info.uuid ?? null;
    return refusal(Number(gpu), uuid, { kind: 'other-gpu', message });
  });
  return [...placed.refused, ...others].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
}

function refusal(index: number, uuid: string | null, why: Why): GpuOutcome {
  return { index, uuid, outcome: 'refused', kept: [], created: [], destroyed: [], why };
}

function unknownCard(name: string): Why {
  const message = `what a ${name} can be cut into shows when MIG is on; say where each slice starts, or switch MIG on first`;
  return { kind: 'unknown-profile', message };
}
