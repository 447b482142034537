/** `npm run bench [-- NAME... --quick --json FILE]`: runs benchmarks and prints a table with bars for each. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { reportText, type Bench, type Outcome } from './harness.js';
import { batch } from './batch.js';
import { auditPrometheus } from './audit-prometheus.js';
import { auditCsv } from './audit-csv.js';
import { change } from './change.js';
import { clusterPlan } from './cluster-plan.js';
import { cluster } from './cluster.js';
import { controller } from './controller.js';
import { compaction } from './compaction.js';
import { decision } from './decision.js';
import { mixedFleet } from './mixed-fleet.js';
import { offline } from './offline.js';
import { online } from './online.js';
import { parvaGpu } from './parvagpu.js';
import { startup } from './startup.js';

const benches: readonly Bench[] = [
  offline,
  parvaGpu,
  mixedFleet,
  online,
  decision,
  compaction,
  change,
  batch,
  auditCsv,
  auditPrometheus,
  cluster,
  clusterPlan,
  controller,
  startup,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `No benchmark is called ${unknown.join(', ')}: ${benches.map(({ name }) => name).join(', ')}.\n`,
  );
  process.exit(2);
}

const machine = `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`;
process.stdout.write(`${machine}\n`);
if (values.quick)
  process.stdout.write('quick run: fewer seeds and smaller counts, so bars may be missed by chance\n');
process.stdout.write('\n');
const results: ({ name: string; about: string; seconds: number } & Outcome)[] = [];
for (const bench of benches) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
  const started = performance.now();
  const outcome = await bench.run({ quick: values.quick });
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`${reportText(bench, outcome, seconds)}\n\n`);
  results.push({ name: bench.name, about: bench.about, seconds, ...outcome });
}
const bars = results.flatMap((result) => result.bars);
const missed = bars.filter((bar) => !bar.met);
process.stdout.write(`${bars.length - missed.length} of ${bars.length} bars met\n`);
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ machine, quick: values.quick, results }, null, 2)}\n`);
}
