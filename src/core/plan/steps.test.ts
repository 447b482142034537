import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelByKey } from '#core/catalogue/catalogue';
import { layoutOf, spaceOf } from '#core/geometry/space';
import { statesOf } from '#core/geometry/states';
import { stepsBetween, type Step } from './steps.js';

const model = modelByKey('h100-80gb-sxm');
if (model?.kind !== 'mig') throw new Error('no H100');
const space = spaceOf(model);
const layouts = statesOf(space).map(({ slots }) => layoutOf(space, slots));
const anyLayout = fc.constantFrom(...layouts);

describe('steps between layouts', () => {
  it('lead from any layout to any other, never through an overlap, touching nothing that stays', () => {
    fc.assert(
      fc.property(anyLayout, anyLayout, (from, to) => {
        const answer = stepsBetween({
          node: 'n',
          index: 0,
          before: from.map((place) => ({ ...place, busy: false })),
          after: to,
        });
        if (!answer.ok) throw new Error(answer.why.message);
        let now = from.map(textOf);
        for (const step of answer.steps) {
          now = applied(now, step);
          expect(layouts.some((layout) => layout.map(textOf).sort().join() === now.toSorted().join())).toBe(
            true,
          );
        }
        expect(now.toSorted()).toEqual(to.map(textOf).toSorted());
        const touched = answer.steps.flatMap((step) => ('placement' in step ? [textOf(step.placement)] : []));
        expect(answer.kept.filter((place) => touched.includes(textOf(place)))).toEqual([]);
        expect(touched).toHaveLength(new Set([...from, ...to].map(textOf)).size - answer.kept.length);
      }),
    );
  });

  it('refuse to move what is busy, and drain it first where they may', () => {
    const before = [{ profile: '1g.10gb', start: 0, size: 1, busy: true }];
    const change = { node: 'n', index: 0, before, after: [{ profile: '7g.80gb', start: 0, size: 8 }] };
    expect(stepsBetween(change)).toMatchObject({ ok: false, why: { kind: 'busy', slices: [{ start: 0 }] } });
    const answer = stepsBetween(change, true);
    expect(answer.ok && answer.steps.map(({ kind }) => kind)).toEqual(['drain', 'destroy', 'create']);
  });

  it('switch MIG on where nobody knows, and off for a whole card', () => {
    const kinds = (
      before: Parameters<typeof stepsBetween>[0]['before'],
      after: Parameters<typeof stepsBetween>[0]['after'],
    ): unknown => {
      const answer = stepsBetween({ node: 'n', index: 0, before, after });
      return answer.ok && answer.steps.map(({ kind }) => kind);
    };
    expect(kinds(null, [{ profile: '7g.80gb', start: 0, size: 8 }])).toEqual(['enable-mig', 'create']);
    expect(kinds(null, null)).toEqual(['disable-mig']);
    expect(kinds([{ profile: '1g.10gb', start: 0, size: 1, busy: false }], null)).toEqual([
      'destroy',
      'disable-mig',
    ]);
  });
});

function applied(now: readonly string[], step: Step): string[] {
  switch (step.kind) {
    case 'create':
      return [...now, textOf(step.placement)];
    case 'destroy':
      return now.filter((place) => place !== textOf(step.placement));
    case 'drain':
    case 'enable-mig':
    case 'disable-mig':
      return [...now];
  }
}

function textOf({ profile, start }: { readonly profile: string; readonly start: number }): string {
  return `${profile}:${start}`;
}
