/** A whole answer, byte for byte. After a wanted change: UPDATE_GOLDEN=1 npx vitest run src/core/audit/golden.test.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadSolver } from '#adapters/highs/solver';
import {
  deviceClass,
  madeGpus,
  madeObservation,
  madeTimeline,
  madeWorkload,
  seated,
} from '../../../test/support/made-observation.js';
import { root } from '../../../test/tooling/clone.js';
import { auditObservation } from './audit-observation.js';

const h100 = 'h100-80gb-sxm';
const file = join(root, 'test/golden/audit/answer.json');

/** $1 an hour for a card. */
const prices = [
  {
    ...{ machineType: 'h100-8', model: h100, gpus: 8, usdPerHour: 8, estimate: false },
    ...{ source: 'made up', region: null, asOf: null },
  },
];

/** Two machines of H100, whole, and one that is cut; every verdict, a rare peak, growth, a lower bound. */
const observation = seated(
  madeObservation(
    [
      madeWorkload({
        ...{ workload: 'reranker', namespace: 'search', replicas: 5, grEngine: [[0.1, 10_080]] },
        memory: [
          [7000, 10_000],
          [8600, 80],
        ],
      }),
      madeWorkload({
        ...{ workload: 'chat', replicas: 2, smActive: [[0.2, 10_080]] },
        memory: [
          [9000, 20_157],
          [25_500, 3],
        ],
      }),
      madeWorkload({
        ...{ workload: 'notebook', replicas: 2, memory: [[4000, 10_080]] },
        grEngine: [
          [0, 9000],
          [1, 1080],
        ],
      }),
      madeWorkload({ workload: 'forgotten', memory: [[4, 10_080]], grEngine: [[0, 10_080]] }),
      madeWorkload({
        workload: 'trainer',
        memory: [[70_000, 10_080]],
        gpusAtOnce: 4,
        grEngine: [[1, 10_080]],
      }),
      madeWorkload({
        ...{ workload: 'cache', smActive: [[0.1, 10_080]], memory: [[8000, 10_080]] },
        timeline: madeTimeline(7, (day) => 5000 + 500 * day),
      }),
      madeWorkload({
        ...{ workload: 'scorer', on: deviceClass(h100, '4g.40gb'), memory: [[30_000, 10_080]] },
        grEngine: [[0.2, 10_080]],
      }),
      madeWorkload({ workload: 'new', memory: [[8000, 40]], days: 0.03 }),
    ],
    [
      ...madeGpus(h100, 8),
      ...madeGpus(h100, 8, { host: 'node-2' }),
      ...madeGpus(h100, 1, { host: 'node-3', profiles: ['4g.40gb', '3g.40gb'] }),
    ],
  ),
);

it('stays as it is', async () => {
  const { solve } = await loadSolver();
  const { workloads, ...answer } = auditObservation(observation, { strategy: 'peak', prices }, solve);
  // Timelines are passed through.
  const shown = { ...answer, workloads: workloads.map(({ timeline: _timeline, ...one }) => one) };
  const text = `${JSON.stringify(shown, null, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
});
