import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { sampleAudit } from '../../../test/support/sample-audit.js';
import { toYaml } from './yaml.js';

it('holds what the JSON holds', () => {
  expect(parse([...toYaml(sampleAudit)].join(''))).toEqual(JSON.parse(JSON.stringify(sampleAudit)));
});

it('comes in pieces, one per workload', () => {
  const longest = Math.max(...[...toYaml(sampleAudit)].map((piece) => piece.length));
  expect(longest).toBeLessThan(20_000);
});

it('an audit of nothing is YAML too', () => {
  expect(parse([...toYaml({ ...sampleAudit, workloads: [] })].join(''))).toMatchObject({ workloads: [] });
});

it('a text that holds other ends of a line stays as it is', () => {
  const [first, ...others] = sampleAudit.workloads;
  if (first === undefined) throw new Error('the sample has no workloads');
  const odd = { ...first, workload: '\u2028a\u2029b\rc\nd' };
  const { workloads } = parse(
    [...toYaml({ ...sampleAudit, workloads: [odd, ...others] })].join(''),
  ) as typeof sampleAudit;
  expect(workloads[0]?.workload).toBe(odd.workload);
});
