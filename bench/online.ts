/** Online placement: what share of the demand each rule serves, with and without moving what is already placed. */
import { spaceOf } from '#core/geometry/space';
import { freeRepacking, ours, rivals, type Contestant } from './contestants.js';
import {
  atLeast,
  atMost,
  type Bar,
  type Bench,
  type BenchOptions,
  type Outcome,
  type Row,
} from './harness.js';
import { h100, mainMixes, mixesWithoutDouble, sizesOf, type Mix } from './mixes.js';
import { randomFrom, seeds } from './random.js';
import { fillStream, steadyStream, type Stream } from './workloads.js';

const gpus = 100;
const load = 0.9;
const space = spaceOf(h100);
const sizes = sizesOf(h100);
const units = gpus * h100.gridUnits;
const mixes = [...mainMixes, ...mixesWithoutDouble];
/** Arrivals before the fleet is in its steady state. */
const warmUp = 0.2;

export const online: Bench = {
  name: 'online',
  about: `${gpus} H100, seeds 101-120: units served in % of units asked for (steady), of units there are (fill), ± 95 % CI`,
  run: runOnline,
};

function runOnline({ quick }: BenchOptions): Outcome {
  const runs = seeds(101, quick ? 104 : 120);
  const jobs = quick ? 5000 : 20_000;
  const steady = drive(
    (mix, seed) => steadyStream(randomFrom(seed), mix.shares, sizes, { jobs, units, load }),
    (result) => (100 * result.servedUnits) / result.askedUnits,
    warmUp,
    runs,
  );
  const fill = drive(
    (mix, seed) => fillStream(randomFrom(seed), mix.shares, sizes, units),
    (result) => (100 * result.servedUnits) / units,
    0,
    runs,
  );
  return {
    rows: [
      ...steady.map((line) => rowOf(`steady ${load}`, line)),
      ...fill.map((line) => rowOf('fill once', line)),
    ],
    bars: barsOf(steady, fill),
    notes: [
      `steady: Poisson arrivals, exponential lifetimes, ${jobs} arrivals of which the first ${100 * warmUp} % warm up.`,
      'fill once: no departures, until 130 % of the fleet was asked for. moves/1k: moves per 1,000 jobs served, uniform mix.',
      'jobs: share of jobs served, uniform mix. us: time per arrival with its departure, repacking included, mean over mixes.',
      'FGD-style is told the true mix; the adaptive rule estimates it from the arrivals. Rivals are our readings of their ideas.',
    ],
  };
}

/** One contestant's results, a list over the seeds per mix. */
interface Line {
  readonly name: string;
  readonly shares: readonly (readonly number[])[];
  readonly jobShare: number;
  readonly movesPer1000: number;
  readonly microseconds: number;
}

interface Result {
  readonly askedUnits: number;
  readonly servedUnits: number;
  readonly asked: number;
  readonly served: number;
  readonly moves: number;
  readonly totalServed: number;
  readonly microseconds: number;
}

function drive(
  streamOf: (mix: Mix, seed: number) => Stream,
  shareOf: (result: Result) => number,
  skip: number,
  runs: readonly number[],
): readonly Line[] {
  const perMix = mixes.map((mix) => {
    const streams = runs.map((seed) => streamOf(mix, seed));
    return contestantsFor(mix).map((contestant) => ({
      name: contestant.name,
      results: streams.map((stream) => play(contestant, stream, skip)),
    }));
  });
  return perMix[0]!.map(({ name, results: uniform }, index): Line => {
    const ofMixes = perMix.map((lines) => lines[index]!.results);
    return {
      name,
      shares: ofMixes.map((results) => results.map(shareOf)),
      jobShare: mean(uniform.map((result) => (100 * result.served) / result.asked)),
      movesPer1000: mean(uniform.map((result) => (1000 * result.moves) / result.totalServed)),
      microseconds: mean(ofMixes.flat().map((result) => result.microseconds)),
    };
  });
}

function contestantsFor(mix: Mix): readonly Contestant[] {
  return [...rivals(space, mix.shares), ours(space, 0), ours(space, 1), ours(space, 4), freeRepacking(space)];
}

function play(contestant: Contestant, { profileOf, events }: Stream, skip: number): Result {
  const jobs = profileOf.length;
  const player = contestant.enter(gpus, jobs);
  const isServed = new Uint8Array(jobs);
  const total = { askedUnits: 0, servedUnits: 0, asked: 0, served: 0, totalServed: 0 };
  const started = performance.now();
  for (const event of events) {
    const job = event < 0 ? ~event : event;
    const profileIndex = profileOf[job]!;
    if (event < 0) {
      if (isServed[job] === 1) player.leave(job, profileIndex);
      continue;
    }
    const served = Number(player.arrive(job, profileIndex));
    isServed[job] = served;
    total.totalServed += served;
    if (job < skip * jobs) continue;
    total.asked += 1;
    total.served += served;
    total.askedUnits += sizes[profileIndex]!;
    total.servedUnits += served * sizes[profileIndex]!;
  }
  return { ...total, moves: player.moves(), microseconds: (1000 * (performance.now() - started)) / jobs };
}

function rowOf(driver: string, line: Line): Row {
  const cells = mixes.map((mix, index): [string, string] => {
    const { centre, half } = interval(line.shares[index]!);
    return [mix.name, `${centre.toFixed(2)} ±${half.toFixed(2)}`];
  });
  return {
    driver,
    rule: line.name,
    ...Object.fromEntries(cells),
    jobs: line.jobShare.toFixed(2),
    'moves/1k': line.movesPer1000.toFixed(0),
    us: line.microseconds.toFixed(2),
  };
}

function barsOf(steady: readonly Line[], fill: readonly Line[]): readonly Bar[] {
  const line = (lines: readonly Line[], contestant: Contestant): Line =>
    lines.find(({ name }) => name === contestant.name)!;
  const wanted = [96.4, 97.4, 95.9, 95.5];
  const still = line(steady, ours(space, 0));
  const moving = line(steady, ours(space, 4));
  const free = line(steady, freeRepacking(space));
  const filling = line(fill, ours(space, 0));
  return [
    ...wanted.map((bar, mix) =>
      atLeast(`steady, ${mixes[mix]!.name}, no moves`, mean(still.shares[mix]!), bar),
    ),
    ...mainMixes.map(({ name }, mix) =>
      atMost(
        `steady, ${name}: points between <= 4 moves and free repacking`,
        mean(free.shares[mix]!) - mean(moving.shares[mix]!),
        0.6,
      ),
    ),
    ...mainMixes.map(({ name }, mix) => atLeast(`fill once, ${name}`, mean(filling.shares[mix]!), 98.8)),
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mean and half the width of its 95 % confidence interval (Student's t for 20 seeds; too narrow for fewer). */
function interval(values: readonly number[]): { readonly centre: number; readonly half: number } {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return { centre, half: 2.093 * Math.sqrt(squares / (values.length - 1) / values.length) };
}
