/** ParvaGPU's six serving scenarios: fewest A100-80 for eleven models with rates and latency objectives, proven. */
import { readFileSync } from 'node:fs';
import { modelByKey } from '#core/catalogue/catalogue';
import { packServices, type Service } from '#core/packing/serving';
import { loadSolver } from '#adapters/highs/solver';
import { heaviest } from '../test/support/check-bound.js';
import { atMost, timed, type Bench, type Outcome } from './harness.js';

/** GPUs of the deployments that the authors published (SC'24), and the fewest known before this run. */
const published = [2, 3, 5, 7, 13, 16];
const fewestKnown = [2, 3, 5, 7, 12, 15];

/** The published deployments use up to five processes in a slice. */
const mostProcesses = 5;

export const parvaGpu: Bench = {
  name: 'parvagpu',
  about:
    "ParvaGPU's six scenarios on A100-80GB (its profiles and SLOs; latency under 0.9 x SLO / 2, up to 5 processes)",
  run: runScenarios,
};

async function runScenarios(): Promise<Outcome> {
  const { solve } = await loadSolver();
  const model = modelByKey('a100-80gb');
  if (model?.kind !== 'mig') throw new RangeError('no A100-80GB in the catalogue');
  const plain = model.profiles.filter(({ attribute }) => attribute === null);
  const data = JSON.parse(
    readFileSync(new URL('./data/parvagpu/scenarios.json', import.meta.url), 'utf8'),
  ) as Scenarios;
  packServices(model, [{ name: 'warm-up', requestsPerSecond: 1, throughput: { '1g.10gb': 1 } }], solve);
  const results = data.scenarios.map((scenario, index) => {
    const services = scenario.services.map((one) => serviceFrom(one, data.profiles[one.model] ?? []));
    const { result, ms } = timed(() => packServices(model, services, solve));
    const { packing, proof } = result;
    const isProven = heaviest(plain, proof.prices) <= 1 + 1e-9 && proof.lowerBound === packing.gpus;
    return {
      scenario: scenario.name,
      models: services.length,
      published: published[index] ?? 0,
      known: fewestKnown[index] ?? 0,
      gpus: packing.gpus,
      bound: proof.lowerBound,
      isProven,
      ms,
    };
  });
  return {
    rows: results.map(({ scenario, models, published: theirs, gpus, bound, isProven, ms }) => ({
      scenario,
      models,
      ParvaGPU: theirs,
      GPUs: gpus,
      'proven bound': bound,
      optimal: isProven ? 'proven' : 'not proven',
      ms: ms.toFixed(0),
    })),
    bars: [
      atMost(
        'scenarios above the fewest known (2, 3, 5, 7, 12, 15)',
        results.filter(({ gpus, known }) => gpus > known).length,
        0,
        0,
      ),
      atMost(
        'scenarios whose bound does not close',
        results.filter(({ isProven }) => !isProven).length,
        0,
        0,
      ),
      atMost('slowest scenario, s', Math.max(...results.map(({ ms }) => ms)) / 1000, 1),
    ],
  };
}

interface Scenarios {
  readonly scenarios: readonly { readonly name: string; readonly services: readonly Objective[] }[];
  /** Rows of slices, batch, processes, throughput of one process (1/s), latency (s). */
  readonly profiles: Readonly<Record<string, readonly (readonly [number, number, number, number, number])[]>>;
}

interface Objective {
  readonly model: string;
  readonly requestsPerSecond: number;
  readonly sloMs: number;
}

const profileOfSlices: Readonly<Record<number, string>> = {
  1: '1g.10gb',
  2: '2g.20gb',
  3: '3g.40gb',
  4: '4g.40gb',
  7: '7g.80gb',
};

/** The best throughput of each slice size that keeps the latency; rates are whole numbers, as in the authors' loader. */
function serviceFrom(
  { model, requestsPerSecond, sloMs }: Objective,
  points: Scenarios['profiles'][string],
): Service {
  const throughput: Record<string, number> = {};
  for (const [slices, , processes, each, latencySeconds] of points) {
    const profile = profileOfSlices[slices];
    if (profile === undefined || processes > mostProcesses || latencySeconds * 1000 >= (sloMs / 2) * 0.9)
      continue;
    throughput[profile] = Math.max(throughput[profile] ?? 0, each * processes);
  }
  return { name: model, requestsPerSecond: Math.trunc(requestsPerSecond), throughput };
}
