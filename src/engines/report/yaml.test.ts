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
