import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutOf, entriesFor, isSameCut, spelledName, type GpuCut, type NodeCut } from './mig-config.js';

const profile = fc.constantFrom('1g.10gb', '1g.10gb+me', '1g.20gb', '2g.20gb', '3g.40gb');
const gpu: fc.Arbitrary<GpuCut> = fc.oneof(
  fc.constant<GpuCut>({ mig: false }),
  fc.dictionary(profile, fc.integer({ min: 1, max: 7 })).map((counts): GpuCut => ({ mig: true, counts })),
);
const node: fc.Arbitrary<NodeCut> = fc
  .array(gpu, { minLength: 1, maxLength: 8 })
  .map((cuts) => new Map(cuts.entries()));

function isSameNode(one: NodeCut, other: NodeCut): boolean {
  return (
    one.size === other.size &&
    [...one].every(([index, cut]) => isSameCut(cut, other.get(index) ?? { mig: false }))
  );
}

describe('a configuration of a node', () => {
  it('says what each GPU carries, and nothing else', () => {
    fc.assert(fc.property(node, (cut) => isSameNode(cutOf(entriesFor(cut), cut.size), cut)));
  });

  it('has one name for equal layouts, whatever the order they come in', () => {
    fc.assert(
      fc.property(node, (cut) => {
        const turned = new Map(
          [...cut]
            .reverse()
            .map(([index, one]): [number, GpuCut] => [
              index,
              one.mig ? { mig: true, counts: Object.fromEntries(Object.entries(one.counts).reverse()) } : one,
            ]),
        );
        expect(spelledName(entriesFor(turned))).toBe(spelledName(entriesFor(cut)));
      }),
    );
  });

  it('has another name for another layout: mig-manager wakes for another value only', () => {
    fc.assert(
      fc.property(node, node, (one, other) => {
        fc.pre(!isSameNode(one, other));
        expect(spelledName(entriesFor(one))).not.toBe(spelledName(entriesFor(other)));
      }),
    );
  });

  it('is spelled as a label value may be', () => {
    const cut: NodeCut = new Map([
      [0, { mig: true, counts: { '1g.24gb+me.all': 1, '2g.48gb': 1 } }],
      [1, { mig: false }],
      [2, { mig: true, counts: {} }],
    ]);
    expect(spelledName(entriesFor(cut))).toBe('mica-0-1x1g.24gb.me.all-1x2g.48gb_1-off_2-empty');
    fc.assert(fc.property(node, (any) => /^[a-z0-9][\w.-]*[a-z0-9]$/.test(spelledName(entriesFor(any)))));
  });

  it('leaves unknown what stands behind a device filter, and what no entry names', () => {
    const entries = [
      { devices: [0], 'mig-enabled': false },
      { 'device-filter': ['0x233010DE'], devices: [1], 'mig-enabled': false },
    ];
    expect([...cutOf(entries, 3).keys()]).toEqual([0]);
  });
});
