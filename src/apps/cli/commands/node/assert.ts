/** `mica node assert`: are this machine's GPUs what the files say? Changes nothing. Exit 1: some are not. */
import { asArgument, type Placement } from '#core/geometry/placement';
import { isSamePlace } from '#core/plan/steps';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { printable } from '../../terminal/screen.js';
import { withNode, type DriverFlags } from './open-node.js';
import { placeWishes } from './place-wishes.js';
import { seeGpus, type SeenGpu } from './see-gpus.js';
import { wishesFrom, type WishFlags } from './wishes.js';

interface Compared {
  readonly index: number | null;
  readonly equal: boolean;
  readonly message?: string;
}

export async function assertCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: DriverFlags & WishFlags,
): Promise<AnswerExit> {
  return withNode(host, flags, async ({ driver }) => {
    const seen = await seeGpus(driver);
    const { gpus, notes } = await wishesFrom(flags, seen);
    for (const note of notes) screen.note(`note: ${note}`);
    const { wanted, refused } = placeWishes(seen, gpus);
    const compared: readonly Compared[] = [
      ...refused.map(({ index, why }) => ({ index, equal: false, message: why?.message ?? 'it cannot be' })),
      ...wanted.map(({ gpu, want }) => compare(seen, gpu, want.mig ? want.placements : null)),
    ].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
    const equal = compared.every((one) => one.equal);
    if (json) printJson(screen, { equal, gpus: compared });
    else {
      const { green, red } = screen.style;
      for (const { index, equal: same, message = '' } of compared) {
        const verdict = same ? green('equal') : `${red('different')}: ${printable(message)}`;
        screen.print(`gpu-${index ?? '?'}  ${verdict}`);
      }
    }
    return equal ? 0 : 1;
  });
}

type Place = Pick<Placement, 'profile' | 'start'>;

function compare(
  seen: readonly SeenGpu[],
  index: number | string,
  wanted: readonly Place[] | null,
): Compared {
  const gpu = seen.find(({ info }) => info.index === index);
  const differences = gpu === undefined ? ['it is not there'] : differencesOf(gpu, wanted);
  const equal = differences.length === 0;
  return { index: Number(index), equal, ...(equal ? {} : { message: differences.join('; ') }) };
}

function differencesOf({ info, instances }: SeenGpu, wanted: readonly Place[] | null): readonly string[] {
  const mig = info.mig ?? { current: false, pending: false };
  const there = instances.map(({ placement }) => placement);
  const extra = there.filter((place) => !(wanted ?? []).some((other) => isSamePlace(place, other)));
  const missing = (wanted ?? []).filter((place) => !there.some((other) => isSamePlace(place, other)));
  const unusable = instances.filter(({ computeInstances }) => computeInstances.length === 0);
  const shouldBe = wanted === null ? 'off' : 'on';
  return [
    ...(mig.current === (wanted !== null) ? [] : [`MIG should be ${shouldBe}`]),
    ...(mig.pending === mig.current
      ? []
      : [`MIG changes to ${mig.pending ? 'on' : 'off'} with the next reset`]),
    ...named('missing', missing),
    ...named('not wanted', extra),
    ...named(
      'without a compute instance',
      unusable.map(({ placement }) => placement),
    ),
  ];
}

function named(what: string, places: readonly Place[]): readonly string[] {
  if (places.length === 0) return [];
  return [`${what}: ${places.map((place) => asArgument({ ...place, size: 0 })).join(', ')}`];
}
