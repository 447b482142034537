import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addIndex, deleteIndex, emptyIndexSet, firstIndex } from './index-set.js';

describe('an index set', () => {
  it('agrees with a plain set on its smallest member from anywhere', () => {
    const limits = fc.constantFrom(1, 31, 32, 33, 1024, 1025, 40_000);
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.nat()), { maxLength: 60 }),
        (limit, edits) => {
          const set = emptyIndexSet(limit);
          const plain = new Set<number>();
          for (const [add, memberSeed, fromSeed] of edits) {
            const member = memberSeed % limit;
            if (add) {
              addIndex(set, member);
              plain.add(member);
            } else {
              deleteIndex(set, member);
              plain.delete(member);
            }
            for (const from of [0, member, member + 1, fromSeed % limit]) {
              const expected = Math.min(...[...plain].filter((one) => one >= from));
              expect(firstIndex(set, from)).toBe(expected === Infinity ? undefined : expected);
            }
          }
        },
      ),
    );
  });
});
