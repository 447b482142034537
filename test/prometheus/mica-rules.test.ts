/** The alert rules that are shipped: Prometheus takes them, they fire when they should, and they ask for metrics that there are. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { metricTable } from '#apps/controller/metrics';
import { root } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';

const run = promisify(execFile);
const rules = 'deploy/prometheus/mica-rules.yaml';
// promtool comes with it.
const prometheus = requires('prometheus');

describe.skipIf(prometheus.missing)(prometheus.title('the alert rules'), () => {
  it('are rules to promtool', async () => {
    const { stdout } = await run('promtool', ['check', 'rules', join(root, rules)]);
    expect(stdout).toContain('SUCCESS: 5 rules found');
  });

  it('fire when they should, and only then', async () => {
    const { stdout } = await run('promtool', [
      'test',
      'rules',
      join(root, 'test/prometheus/mica-rules.test.yaml'),
    ]);
    expect(stdout).toContain('SUCCESS');
  });
});

it('ask for metrics that a controller has', () => {
  const named = [...readFileSync(join(root, rules), 'utf8').matchAll(/\bmica_controller_\w+/g)].map(
    ([name]) => name,
  );
  expect(named.length).toBeGreaterThan(4);
  for (const name of named) expect(Object.keys(metricTable)).toContain(name);
});
