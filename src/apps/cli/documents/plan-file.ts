/** A plan that `mica plan --json` or `mica cluster plan --json` printed, read back: of it only what each GPU becomes. */
import { z } from 'zod';
import { checkShape, type Checked } from './check-shape.js';
import { readYaml } from './yaml-source.js';

export interface PlannedLayout {
  readonly node: string;
  readonly index: number;
  /** Catalogue key. */
  readonly model: string;
  /** False: the whole card. */
  readonly mig: boolean;
  readonly placements: readonly { readonly profile: string; readonly start: number }[];
}

export function readPlanFile(text: string, file: string): Checked<readonly PlannedLayout[]> {
  const source = readYaml(text, file);
  if (!source.ok) return source;
  const [document, second] = source.documents;
  if (document === undefined || second !== undefined) {
    const message = document === undefined ? 'is empty' : 'holds several documents; a plan is one';
    return { ok: false, problems: [{ where: { file, line: 1, column: 1 }, path: '', message }] };
  }
  const checked = checkShape(anyPlan, document);
  return checked.ok ? { ok: true, value: checked.value.layouts } : checked;
}

const unit = z.int({ error: 'must be a whole number, 0 or more' }).min(0, {
  error: 'must be a whole number, 0 or more',
});
const text = z.string({ error: 'must be text' });

/** The other keys of a plan say why; they are not needed to carry it out. */
const planSchema = z.object(
  {
    schema: z.literal('mica/plan@1', {
      error: 'must be mica/plan@1: a file that `mica plan --json` printed',
    }),
    layouts: z.array(
      z.object(
        {
          node: text,
          index: unit,
          model: text,
          mig: z.boolean({ error: 'must be true or false' }),
          placements: z.array(z.object({ profile: text, start: unit }, { error: 'must be a map of keys' }), {
            error: 'must be a list',
          }),
        },
        { error: 'must be a map of keys' },
      ),
      { error: 'must be a list' },
    ),
  },
  { error: 'must be a plan that `mica plan --json` printed' },
);

/** Of a plan for a cluster it is the nodes that are cut where they stand. */
const anyPlan = z.preprocess((value) => {
  const outer = z.looseObject({ schema: z.literal('mica/cluster-plan@1') }).safeParse(value);
  return outer.success ? (outer.data['plan'] ?? noNodes) : value;
}, planSchema);

const noNodes = { schema: 'mica/plan@1', layouts: [] };
