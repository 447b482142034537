/**
 * Two free choices of the driver, as observed: the order in which it fills a profile's places by default, and the GI
 * ids of the places. Nothing in Mica may depend on either, so the double can turn both round.
 *
 * Sources: `nvidia-smi mig -cgi` and `-lgi` of an H100 PCIe (driver 570.169), an H100 SXM, an A30 (535.183.01), and an
 * RTX PRO 6000 Server (610.43.02); gathered on 2026-11-23. A100 has the ids of H100 here: its own were recorded otherwise for 1g.
 */
import type { MigModel, Profile } from '#core/catalogue/model';

export interface Family {
  readonly order: (profile: Profile) => readonly number[];
  readonly nodes: readonly { readonly size: number; readonly start: number; readonly id: number }[];
}

/** GI ids by size, in the order of the starts. */
type Ids = Readonly<Record<number, Readonly<Record<number, number>>>>;

const sevenSliceOrder: Readonly<Record<number, readonly number[]>> = {
  1: [6, 4, 5, 0, 1, 2, 3],
  2: [4, 0, 2, 6],
  4: [4, 0],
};

const sevenSliceIds: Ids = {
  1: { 0: 11, 1: 12, 2: 13, 3: 14, 4: 7, 5: 8, 6: 9 },
  2: { 0: 3, 2: 4, 4: 5, 6: 6 },
  4: { 0: 1, 4: 2 },
  8: { 0: 0 },
};

const fourSliceIds: Ids = { 1: { 0: 3, 1: 4, 2: 5, 3: 6 }, 2: { 0: 1, 2: 2 }, 4: { 0: 0 } };

export function familyOf(model: MigModel): Family {
  if (model.gridUnits === 8) {
    return {
      order: ({ sizeUnits, starts }) =>
        (sevenSliceOrder[sizeUnits] ?? starts).filter((start) => starts.includes(start)),
      nodes: nodesOf(sevenSliceIds, 1),
    };
  }
  return { order: ({ starts }) => starts, nodes: nodesOf(fourSliceIds, model.gridUnits / 4) };
}

function nodesOf(ids: Ids, unit: number): Family['nodes'] {
  return Object.entries(ids).flatMap(([size, byStart]) =>
    Object.entries(byStart).map(([start, id]) => ({
      size: Number(size) * unit,
      start: Number(start) * unit,
      id,
    })),
  );
}
