/** Activity figures of a workload, per metric and kind of device. */
import type { Reading } from './believe.js';
import type { ActivityMetric, DeviceClass, ObservedActivity } from './observation.js';
import { SampleBag } from './sample-bag.js';
import type { Series } from './series.js';

const readingsOf: Readonly<Record<ActivityMetric, readonly Reading[]>> = {
  'sm-active': ['sm-active'],
  'gr-engine': ['gr-engine'],
  utilization: ['utilization', 'utilization-percent', 'utilization-any'],
};

const metrics = ['sm-active', 'gr-engine', 'utilization'] as const;

/** Whether values that may be percent or ratios are percent: where any of all of them is 2 or more. */
export function isUtilizationInPercent(all: readonly Series[]): boolean {
  return all.some(({ figures }) => (figures.get('utilization-any')?.bag.largest ?? 0) >= 2);
}

/** The samples are given up. */
export function finishActivity(
  classes: readonly (DeviceClass & { readonly members: readonly Series[] })[],
  utilizationInPercent: boolean,
): readonly ObservedActivity[] {
  return classes
    .flatMap(({ model, productName, profile, members }) =>
      metrics.flatMap((metric) => {
        const stats = finishMetric(members, metric, utilizationInPercent);
        return stats === null ? [] : [{ model, productName, profile, samples: stats.samples, metric, stats }];
      }),
    )
    .sort((a, b) => b.samples - a.samples);
}

function finishMetric(members: readonly Series[], metric: ActivityMetric, utilizationInPercent: boolean) {
  const served = members[0]?.finished?.activity.find((one) => one.metric === metric);
  if (served !== undefined) return served.stats;
  const bags = members.flatMap(({ figures }) =>
    readingsOf[metric].flatMap((reading) => {
      const bag = figures.get(reading)?.bag;
      if (bag === undefined) return [];
      return [reading === 'utilization-any' ? asRatios(bag, utilizationInPercent) : bag];
    }),
  );
  return new SampleBag().finish(bags);
}

function asRatios(bag: SampleBag, inPercent: boolean): SampleBag {
  const ratios = new SampleBag();
  ratios.addAll(bag, inPercent ? 100 : 1, 1);
  return ratios;
}
