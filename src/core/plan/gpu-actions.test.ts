import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import type { Layout } from '#core/geometry/placement';
import { layoutOf, spaceOf } from '#core/geometry/space';
import { statesOf } from '#core/geometry/states';
import {
  actionInWords,
  isPossible,
  showsDone,
  stateOf,
  wayTo,
  type CardState,
  type GpuAction,
  type LiveGpu,
  type LiveInstance,
} from './gpu-actions.js';

const model = modelByKey('h100-80gb-sxm');
if (model?.kind !== 'mig') throw new Error('no H100');
const space = spaceOf(model);
const layouts = statesOf(space).map(({ slots }) => layoutOf(space, slots));
const anyState: fc.Arbitrary<CardState> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(...layouts).map((placements): CardState => ({ mig: true, placements })),
  },
  { weight: 1, arbitrary: fc.constant<CardState>({ mig: false }) },
);

describe('the way to a state', () => {
  it('is walked by doing the first call and asking again, from wherever the GPU is', () => {
    fc.assert(
      fc.property(anyState, anyState, fc.boolean(), fc.array(fc.boolean()), (from, to, needsReset, bare) => {
        let now = liveOf(from, bare);
        const staying = now.instances
          .filter((one) => to.mig && holds(to.placements, one))
          .map(({ id }) => id);
        for (let count = 0; ; count += 1) {
          const { actions, inTheWay } = wayTo(to, now);
          expect(inTheWay).toEqual([]);
          const [action] = actions;
          if (action === undefined) break;
          expect(count, 'calls').toBeLessThan(40);
          expect(isPossible(action, now), actionInWords(action)).toBe(true);
          expect(showsDone(action, now)).toBe(false);
          now = after(now, action, needsReset);
          expect(showsDone(action, now)).toBe(true);
        }
        expect(stateOf(now)).toEqual(to);
        expect(now.instances.every(({ computeIds }) => computeIds.length > 0)).toBe(true);
        expect(now.instances.map(({ id }) => id)).toEqual(expect.arrayContaining(staying));
      }),
    );
  });

  it('goes round what may not go, and says what is in the way', () => {
    const now = liveOf({ mig: true, placements: [place('1g.10gb', 0, 1), place('1g.10gb', 6, 1)] }, []);
    const to: CardState = { mig: true, placements: [place('3g.40gb', 4, 4), place('1g.10gb', 1, 1)] };
    const way = wayTo(to, now, () => false);
    expect(way.actions.map(actionInWords)).toEqual([
      'create 1g.10gb:1',
      'create the compute instance of 1g.10gb:1',
    ]);
    expect(way.inTheWay.map(({ placement }) => placement.start)).toEqual([6]);
    expect(wayTo({ mig: false }, now, () => false)).toMatchObject({ actions: [], inTheWay: [{}, {}] });
  });

  it('takes back a mode that waits for a reset', () => {
    const waiting: LiveGpu = { mig: { current: false, pending: true }, instances: [] };
    expect(wayTo({ mig: false }, waiting).actions).toEqual([{ kind: 'set-mode', enabled: false }]);
    expect(wayTo({ mig: true, placements: [] }, waiting).actions).toEqual([{ kind: 'reset' }]);
  });
});

function place(profile: string, start: number, size: number) {
  return { profile, start, size };
}

function liveOf(state: CardState, bare: readonly boolean[]): LiveGpu {
  const placements: Layout = state.mig ? state.placements : [];
  return {
    mig: { current: state.mig, pending: state.mig },
    instances: placements.map((placement, id) => ({
      id,
      placement,
      computeIds: bare[id] === true ? [] : [0],
    })),
  };
}

function holds(layout: Layout, { placement }: LiveInstance): boolean {
  return layout.some(({ profile, start }) => profile === placement.profile && start === placement.start);
}

/** What a card does. */
function after(now: LiveGpu, action: GpuAction, needsReset: boolean): LiveGpu {
  const { mig, instances } = now;
  const others =
    'placement' in action
      ? instances.filter(({ placement }) => placement.start !== action.placement.start)
      : instances;
  switch (action.kind) {
    case 'set-mode':
      return { ...now, mig: { current: needsReset ? mig.current : action.enabled, pending: action.enabled } };
    case 'reset':
      return { mig: { current: mig.pending, pending: mig.pending }, instances: [] };
    case 'create-instance': {
      const id = Math.max(9, ...instances.map((one) => one.id)) + 1;
      return { mig, instances: [...instances, { id, placement: action.placement, computeIds: [] }] };
    }
    case 'create-compute':
      return {
        mig,
        instances: instances.map((one) => (others.includes(one) ? one : { ...one, computeIds: [0] })),
      };
    case 'destroy-compute':
      return {
        mig,
        instances: instances.map((one) => (others.includes(one) ? one : { ...one, computeIds: [] })),
      };
    case 'destroy-instance':
      return { mig, instances: others };
  }
}
