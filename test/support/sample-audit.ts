/** A made-up audit of twelve workloads: every verdict, MIG and whole cards, unknown ones, and names that mean harm. */
import { usdPerMonth } from '#core/cost/slice-cost';
import type { AuditAnswer, AuditedWorkload, DrawnGpu, Figures } from '#core/audit/answer';
import type { Dropped } from '#core/observe/observation';
import type { Timeline } from '#core/observe/timeline';

const rtx = 'rtx-pro-6000-blackwell-server';
const h100 = 'h100-80gb-sxm';

/** A month of one card, at made-up prices. */
const monthly = { [rtx]: usdPerMonth(4.5), [h100]: usdPerMonth(11) } as const;

export const hostileName = `<script>globalThis.pwned=1</script>"'><img src=x onerror=pwned=1>`;

const start = '2026-10-26T00:00:00.000Z';
const end = '2026-11-09T00:00:00.000Z';
const startMs = Date.parse(start);
const hourMs = 3_600_000;
const hours = 14 * 24;

const nothingDropped: Dropped = { sentinel: 0, text: 0, notFinite: 0, negative: 0 };

/** Each hour's share of the peak, by the hour since the start; `null`: no sample. */
type Shape = (hour: number) => number | null;

const day = (hour: number): number =>
  0.55 + 0.4 * Math.max(0, Math.sin(((hour % 24) - 6) / 3.82)) * wobble(hour);
const flat: Shape = (hour) => 0.97 + 0.03 * wobble(hour);
const growing: Shape = (hour) => 0.6 + (0.4 * hour) / hours;
const withGap: Shape = (hour) => (hour > 120 && hour < 170 ? null : day(hour));
const burst: Shape = (hour) => (hour === 201 ? 1 : 0.72 * day(hour));
const office: Shape = (hour) => (hour % 24 === 10 ? 1 : 0.05);

/** From 0 to 1, without chance. */
function wobble(hour: number): number {
  return 0.5 + 0.5 * Math.sin(hour * 12.9898) * Math.cos(hour * 4.1414);
}

function timeline(shape: Shape, peakMiB: number): Timeline {
  const values = Array.from({ length: hours }, (_, hour) => shape(hour));
  const largest = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  return {
    startMs,
    stepMs: hourMs,
    max: values.map((value) => (value === null ? null : Math.round((value / largest) * peakMiB))),
  };
}

function memory(p50: number, p95: number, p99: number, max: number): Figures {
  return { p50, p95, p99, max };
}

type Given = Pick<AuditedWorkload, 'workload' | 'verdict' | 'why'> & Partial<AuditedWorkload>;

/** A Deployment on one whole RTX PRO 6000 a replica, unless it says otherwise. */
function workload(given: Given, shape: Shape = day): AuditedWorkload {
  const memoryMiB = given.memoryMiB ?? null;
  return {
    // First and last: the order of the keys, and the last word.
    ...given,
    ...(given.namespace === undefined
      ? {}
      : { owner: { kind: 'Deployment', name: given.workload, via: 'api' } as const }),
    samples: 20_160,
    memoryMiB,
    compute: null,
    replicas: 1,
    devicesEach: 1,
    current: { model: rtx, profile: null },
    recommended: null,
    alternatives: [],
    confidence: 'high',
    confidenceWhy: ['20,160 samples over 14 days, one a minute, 0.2% of them missing'],
    severity: 'ok',
    rarePeak: null,
    growthMiBPerDay: null,
    cardShare: { now: 1, after: 1 },
    usdPerMonth: { now: null, after: null },
    dropped: nothingDropped,
    timeline: memoryMiB === null ? { startMs: 0, stepMs: 60_000, max: [] } : timeline(shape, memoryMiB.max),
    ...given,
  };
}

function activity(p95: number, max: number, metric: 'sm-active' | 'gr-engine' = 'sm-active') {
  return {
    ...{ p50: p95 / 3, p95, p99: (p95 + max) / 2, max, metric },
    on: { model: rtx, profile: null },
    lowerBound: false,
  };
}

const small = { model: rtx, profile: '1g.24gb' };
const card = monthly[rtx];

const workloads: readonly AuditedWorkload[] = [
  workload({
    workload: 'reranker',
    namespace: 'search',
    verdict: 'slice',
    why: 'peaks at 12.1 GiB of 95.6; with 10% headroom 1g.24gb holds it',
    memoryMiB: memory(8397, 11_264, 11_878, 12_390),
    compute: activity(0.12, 0.19),
    replicas: 6,
    recommended: small,
    alternatives: [small, { model: h100, profile: '2g.20gb' }],
    severity: 'critical',
    samples: 120_960,
    cardShare: { now: 1, after: 0.25 },
    usdPerMonth: { now: 6 * card, after: 1.5 * card },
  }),
  workload(
    {
      workload: 'embedder',
      namespace: 'search',
      verdict: 'slice',
      why: 'peaks at 19.9 GiB of 95.6; with 10% headroom 1g.24gb holds it',
      memoryMiB: memory(19_456, 20_070, 20_275, 20_378),
      compute: activity(0.21, 0.24),
      replicas: 4,
      recommended: small,
      alternatives: [small],
      severity: 'critical',
      samples: 80_640,
      cardShare: { now: 1, after: 0.25 },
      usdPerMonth: { now: 4 * card, after: card },
    },
    flat,
  ),
  workload(
    {
      workload: 'llama-8b',
      namespace: 'chat',
      owner: { kind: 'StatefulSet', name: 'llama-8b', via: 'kube-state-metrics' },
      verdict: 'slice',
      why: 'peaks at 24.9 GiB, which with 10% headroom is more than 1g.24gb holds; 2g.48gb does; the peak is rare: more than 23.1 GiB for 3 of 60,480 minutes; p99 would give 1g.24gb, which would have been out of memory then',
      memoryMiB: memory(15_360, 18_330, 18_842, 25_498),
      compute: activity(0.38, 0.44),
      replicas: 3,
      recommended: { model: rtx, profile: '2g.48gb' },
      alternatives: [
        { model: rtx, profile: '2g.48gb' },
        { model: h100, profile: '3g.40gb' },
      ],
      severity: 'warning',
      samples: 60_480,
      rarePeak: {
        maxMiB: 25_498,
        strategy: 'p99',
        profile: '1g.24gb',
        usableMiB: 23_680,
        samplesAbove: 3,
        samples: 60_480,
        minutesAbove: 3,
      },
      cardShare: { now: 1, after: 0.5 },
      usdPerMonth: { now: 3 * card, after: 1.5 * card },
    },
    burst,
  ),
  workload(
    {
      workload: 'llama-70b',
      namespace: 'chat',
      verdict: 'whole-gpu',
      why: 'one pod spans 2 GPUs, and slices cannot copy between GPUs',
      memoryMiB: memory(89_088, 90_112, 90_624, 91_136),
      compute: activity(0.71, 0.93),
      devicesEach: 2,
      recommended: { model: rtx, profile: '4g.96gb' },
      severity: 'good',
      usdPerMonth: { now: 2 * card, after: 2 * card },
    },
    flat,
  ),
  workload(
    {
      workload: 'notebook-ana',
      namespace: 'research',
      owner: { kind: 'StatefulSet', name: 'notebook-ana', via: 'name' },
      verdict: 'share',
      why: 'idle for 94% of the time: one slice serves it, and may serve others in turn',
      memoryMiB: memory(160, 3174, 3276, 3276),
      compute: activity(0.01, 0.34, 'gr-engine'),
      recommended: small,
      severity: 'critical',
      confidence: 'medium',
      confidenceWhy: ['the owner is a guess from the name of the pod', '20,160 samples over 14 days'],
      cardShare: { now: 1, after: 0.25 },
      usdPerMonth: { now: card, after: card / 4 },
    },
    office,
  ),
  workload({
    workload: 'jupyter-old',
    namespace: 'research',
    owner: { kind: 'StatefulSet', name: 'jupyter-old', via: 'name' },
    verdict: 'no-gpu',
    why: 'held a GPU for 14 days and never put anything on it',
    memoryMiB: memory(4, 4, 4, 4),
    compute: activity(0, 0),
    severity: 'critical',
    cardShare: { now: 1, after: 0 },
    usdPerMonth: { now: card, after: 0 },
  }),
  workload({
    workload: hostileName,
    namespace: 'research|=cmd',
    owner: { kind: 'ReplicaSet', name: '=HYPERLINK("http://x")', via: 'api' },
    verdict: 'slice',
    why: 'peaks at 6.8 GiB of 95.6; a name with </table> in it, "quotes", a | and\nanother line',
    memoryMiB: memory(5100, 6600, 6900, 6963),
    recommended: small,
    severity: 'critical',
    cardShare: { now: 1, after: 0.25 },
    usdPerMonth: { now: card, after: card / 4 },
  }),
  workload(
    {
      workload: 'ocr',
      namespace: 'batch',
      owner: { kind: 'Job', name: 'ocr', via: 'api' },
      verdict: 'slice',
      why: 'peaks at 18.4 GiB of 95.6; with 10% headroom 1g.24gb holds it; its peak grows by 182 MiB a day: the slice would be full in 16 days',
      memoryMiB: memory(14_540, 18_100, 18_700, 18_841),
      compute: activity(0.17, 0.22),
      replicas: 2,
      recommended: small,
      severity: 'warning',
      confidence: 'medium',
      confidenceWhy: ['the peak grew by 182 MiB a day', '40,320 samples over 14 days'],
      growthMiBPerDay: 182,
      cardShare: { now: 1, after: 0.25 },
      usdPerMonth: { now: 2 * card, after: card / 2 },
    },
    growing,
  ),
  workload(
    {
      workload: 'transcode',
      namespace: 'media',
      verdict: 'unknown',
      why: 'only 40 samples; 100 or more are needed, which is 100 minutes at one a minute',
      samples: 40,
      memoryMiB: memory(2048, 4096, 4100, 4112),
      confidence: 'low',
      confidenceWhy: ['40 samples', 'the pods ran for 40 minutes of 14 days'],
      severity: 'unknown',
      cardShare: { now: 1, after: null },
      usdPerMonth: { now: card, after: null },
      dropped: { ...nothingDropped, sentinel: 12 },
    },
    (hour) => (hour === 33 ? 1 : null),
  ),
  workload(
    {
      workload: 'scorer',
      namespace: 'fraud',
      verdict: 'slice',
      why: 'peaks at 13.9 GiB of the 39.5 of its slice; with 10% headroom 1g.20gb holds it',
      memoryMiB: memory(12_288, 13_926, 14_131, 14_234),
      compute: {
        ...activity(0.31, 0.4, 'gr-engine'),
        on: { model: h100, profile: '3g.40gb' },
        lowerBound: true,
      },
      replicas: 2,
      current: { model: h100, profile: '3g.40gb' },
      recommended: { model: h100, profile: '1g.20gb' },
      severity: 'warning',
      confidence: 'medium',
      confidenceWhy: [
        'activity was measured on a slice of three compute slices: a lower bound',
        '2 days of 14 are missing',
      ],
      cardShare: { now: 0.5, after: 0.25 },
      usdPerMonth: { now: monthly[h100], after: monthly[h100] / 2 },
    },
    withGap,
  ),
  workload(
    {
      workload: 'trainer',
      namespace: 'fraud',
      verdict: 'whole-gpu',
      why: 'one pod spans 4 GPUs, and slices cannot copy between GPUs',
      memoryMiB: memory(71_680, 76_800, 77_800, 78_336),
      compute: { ...activity(0.88, 1), on: { model: h100, profile: null } },
      devicesEach: 4,
      current: { model: h100, profile: null },
      severity: 'good',
      usdPerMonth: { now: 4 * monthly[h100], after: 4 * monthly[h100] },
    },
    flat,
  ),
  workload({
    workload: 'node-9/gpu-1',
    verdict: 'unknown',
    why: 'nobody is named on this GPU, and its model is not known',
    memoryMiB: memory(900, 1024, 1024, 1024),
    current: { model: null, profile: null },
    confidence: 'low',
    confidenceWhy: ['pod labels are missing'],
    severity: 'unknown',
    cardShare: { now: null, after: null },
  }),
];

function whole(count: number, model: string | null, ...names: readonly string[]): DrawnGpu {
  return {
    ...{ count, model, gridUnits: model === rtx ? 12 : model === h100 ? 8 : null },
    slices: [{ profile: null, start: null, sizeUnits: null, workloads: names }],
  };
}

function slice(profile: string, start: number, sizeUnits: number, ...names: readonly string[]) {
  return { profile, start, sizeUnits, workloads: names };
}

const before: readonly DrawnGpu[] = [
  whole(6, rtx, 'search/reranker'),
  whole(4, rtx, 'search/embedder'),
  whole(3, rtx, 'chat/llama-8b'),
  whole(2, rtx, 'chat/llama-70b'),
  whole(2, rtx, 'batch/ocr'),
  whole(1, rtx, 'research/notebook-ana'),
  whole(1, rtx, 'research/jupyter-old'),
  whole(1, rtx, `research|=cmd/${hostileName}`),
  whole(1, rtx, 'media/transcode'),
  whole(4, h100, 'fraud/trainer'),
  {
    ...{ count: 1, model: h100, gridUnits: 8 },
    slices: [slice('3g.40gb', 0, 4, 'fraud/scorer'), slice('3g.40gb', 4, 4, 'fraud/scorer')],
  },
  whole(1, null, 'node-9/gpu-1'),
];

const after: readonly DrawnGpu[] = [
  {
    ...{ count: 1, model: rtx, gridUnits: 12 },
    slices: [slice('2g.48gb', 0, 6, 'chat/llama-8b'), slice('2g.48gb', 6, 6, 'chat/llama-8b')],
  },
  {
    ...{ count: 1, model: rtx, gridUnits: 12 },
    slices: [
      slice('2g.48gb', 0, 6, 'chat/llama-8b'),
      slice('1g.24gb', 6, 3, 'search/reranker'),
      slice('1g.24gb', 9, 3, 'search/reranker'),
    ],
  },
  {
    ...{ count: 2, model: rtx, gridUnits: 12 },
    slices: [0, 3]
      .map((at) => slice('1g.24gb', at, 3, 'search/reranker'))
      .concat([6, 9].map((at) => slice('1g.24gb', at, 3, 'search/embedder'))),
  },
  {
    ...{ count: 1, model: rtx, gridUnits: 12 },
    slices: [
      slice('1g.24gb', 0, 3, 'batch/ocr'),
      slice('1g.24gb', 3, 3, 'batch/ocr'),
      slice('1g.24gb', 6, 3, 'research/notebook-ana'),
      slice('1g.24gb', 9, 3, `research|=cmd/${hostileName}`),
    ],
  },
  whole(2, rtx, 'chat/llama-70b'),
  whole(1, rtx, 'media/transcode'),
  whole(4, h100, 'fraud/trainer'),
  {
    ...{ count: 1, model: h100, gridUnits: 8 },
    slices: [
      slice('1g.20gb', 0, 2, 'fraud/scorer'),
      slice('1g.20gb', 2, 2, 'fraud/scorer'),
      slice('3g.40gb', 4, 4),
    ],
  },
  whole(1, null, 'node-9/gpu-1'),
];

const usdNow = 21 * card + 5 * monthly[h100];
const usdAfter = 8 * card + 5 * monthly[h100];

export const sampleAudit: AuditAnswer = {
  schema: 'mica/audit@1',
  source: 'prometheus',
  window: { start, end },
  strategy: 'peak',
  headroom: 0.1,
  workloads,
  totals: {
    workloads: workloads.length,
    verdicts: { slice: 6, 'whole-gpu': 2, share: 1, 'no-gpu': 1, unknown: 2 },
    gpus: { now: 27, after: 14, freed: 13 },
    usdPerMonth: { now: usdNow, after: usdAfter, saved: usdNow - usdAfter },
    unpriced: ['GPUs of node-9'],
    byModel: {
      now: [
        { model: rtx, gpus: 21, usdPerMonth: 21 * card },
        { model: h100, gpus: 5, usdPerMonth: 5 * monthly[h100] },
        { model: null, gpus: 1, usdPerMonth: null },
      ],
      after: [
        { model: rtx, gpus: 8, usdPerMonth: 8 * card },
        { model: h100, gpus: 5, usdPerMonth: 5 * monthly[h100] },
        { model: null, gpus: 1, usdPerMonth: null },
      ],
    },
    score: 52,
    letter: 'D',
    headline:
      'A pod uses 17.4 GiB of GPU memory on average; 17 of 24 pods fit into a 1g.24gb of 23.1 GiB: in slices 27 GPUs become 14, which saves $42,705 of $109,135 a month (39%), so work that costs up to $42,705 pays for itself within a month.',
  },
  isolation: {
    gives: [
      'Memory of its own: a neighbour cannot take it, and cannot read it.',
      'Faults stay inside: a crash or an out-of-memory error ends in the slice where it began.',
      'Steady speed: SMs, cache and bandwidth are not shared.',
    ],
    takes: [
      'No copies between GPUs: NCCL and NVLink do not reach across slices.',
      'A slice cannot borrow what its neighbours leave idle.',
      'Changing the size of a slice stops whoever runs in it.',
    ],
  },
  before,
  after,
  dropped: { sentinel: 12, text: 3, notFinite: 0, negative: 0 },
  notes: [
    'The owners of 2 workloads are guesses from the names of their pods: give --kubeconfig to be sure.',
    '1 GPU on node-9 used memory while nobody was named for it: pod labels are missing.',
  ],
};
