/** Holds manifests against what a cluster will do with them, before it does. */
import type { Finding } from './finding.js';
import { asksOf, podSpecsIn } from './pod-specs.js';
import type { LintOptions, Rules } from './rule.js';
import { aroundThePlugin } from './rules/around-the-plugin.js';
import { counts } from './rules/counts.js';
import { impossibleLayouts } from './rules/impossible-layouts.js';
import { onDra } from './rules/on-dra.js';
import { onGke } from './rules/on-gke.js';
import { profileNames } from './rules/profile-names.js';
import { severalSlices } from './rules/several-slices.js';
import { tolerations } from './rules/tolerations.js';
import { tooSmall } from './rules/too-small.js';

const rules: readonly Rules[] = [
  profileNames,
  onGke,
  onDra,
  counts,
  severalSlices,
  tolerations,
  aroundThePlugin,
  tooSmall,
  impossibleLayouts,
];

/** Of one document, in the order of its lines as far as paths tell it; equal findings once. */
export function lintDocument(document: unknown, options: LintOptions): readonly Finding[] {
  const pods = podSpecsIn(document);
  return rules.flatMap(({ ask, pod, document: whole }) => [
    ...(whole === undefined ? [] : whole(document, options)),
    ...pods.flatMap((one) => [
      ...(pod === undefined ? [] : pod(one, options)),
      ...(ask === undefined ? [] : asksOf(one).flatMap((each) => ask(each, options))),
    ]),
  ]);
}
