/** `mica audit` as one types it: the guide's output, the JSON against figures counted here, and what it refuses. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runMica } from './run-mica.js';

const folder = mkdtempSync(join(tmpdir(), 'mica-audit-'));
const demo = 'data/demo/usage.csv';

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

it('docs/guides/audit.md shows what it prints', async () => {
  const path = 'docs/guides/audit.md';
  const page = readFileSync(path, 'utf8');
  const [whole = '', command = ''] = /```console\n\$ mica ([^\n]*)\n[^`]*```/.exec(page) ?? [];
  const { stdout: out, exit } = await runMica(command.split(' '));
  expect(exit).toBe(0);
  const wanted = `\`\`\`console\n$ mica ${command}\n${out}\`\`\``;
  if (process.env['UPDATE_GOLDEN'] !== undefined)
    writeFileSync(
      path,
      page.replace(whole, () => wanted),
    );
  else expect(whole).toBe(wanted);
});

interface Answer {
  readonly workloads: readonly {
    readonly workload: string;
    readonly samples: number;
    readonly memoryMiB: Readonly<Record<'p50' | 'p95' | 'p99' | 'max', number>> | null;
    readonly compute: Readonly<Record<'p50' | 'p95' | 'p99' | 'max', number>> | null;
    readonly recommended: { readonly model: string; readonly profile: string } | null;
    readonly verdict: string;
    readonly why: string;
  }[];
}

/** Linear between the nearest two, as spreadsheets and Prometheus have it. */
function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}

describe('the JSON of the week that comes with Mica', () => {
  const rows = readFileSync(demo, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));

  it('has the figures of every workload, and the slice that holds its peak', async () => {
    const { stdout: out, exit } = await runMica(['audit', '--csv', demo, '--gpu', 'h100', '--json']);
    expect(exit).toBe(0);
    const { workloads } = JSON.parse(out) as Answer;
    expect(workloads.map(({ workload }) => workload)).toEqual(
      [...new Set(rows.map(([name = '']) => name))].sort(),
    );
    for (const { workload, samples, memoryMiB, compute, recommended, verdict } of workloads) {
      const own = rows.filter(([name]) => name === workload);
      const memory = own.map((row) => Number(row[2]));
      const activity = own.map((row) => Number(row[3]));
      expect(samples).toBe(own.length);
      for (const [key, part] of [
        ['p50', 0.5],
        ['p95', 0.95],
        ['p99', 0.99],
        ['max', 1],
      ] as const) {
        expect(memoryMiB?.[key], `${workload} ${key}`).toBeCloseTo(percentile(memory, part), 6);
        expect(compute?.[key] ?? null, `${workload} ${key}`).toBeCloseTo(percentile(activity, part), 6);
      }
      const usable: Readonly<Record<string, number>> = {
        '1g.10gb': 9984,
        '2g.20gb': 20096,
        '3g.40gb': 40448,
        '7g.80gb': 81559,
      };
      if (verdict === 'unknown' || verdict === 'no-gpu') expect(recommended).toBeNull();
      else
        expect(usable[recommended?.profile ?? ''] ?? 0, workload).toBeGreaterThanOrEqual(
          Math.max(...memory) * 1.1,
        );
    }
    expect(Object.fromEntries(workloads.map(({ workload, verdict }) => [workload, verdict]))).toEqual({
      'batch-report': 'slice',
      'chat-70b': 'whole-gpu',
      'chat-8b': 'slice',
      'forgotten-pod': 'no-gpu',
      'new-model': 'unknown',
      'notebook-anna': 'share',
      rerank: 'slice',
      'search-embed': 'slice',
    });
  });

  it('a lower percentile gives a smaller slice to the workload with the rare peak', async () => {
    const { stdout: out } = await runMica([
      'audit',
      '--csv',
      demo,
      '--gpu',
      'h100',
      '--strategy',
      'p99',
      '--json',
    ]);
    const { workloads } = JSON.parse(out) as Answer;
    expect(workloads.find(({ workload }) => workload === 'batch-report')?.recommended?.profile).toBe(
      '1g.10gb',
    );
  });
});

it.each(['yaml', 'csv', 'markdown', 'html'])('--format %s prints a report', async (format) => {
  const { stdout: out, exit } = await runMica(['audit', '--csv', demo, '--gpu', 'h100', '--format', format]);
  expect(exit).toBe(0);
  expect(out).toContain('notebook-anna');
});

it('--plan plans what was found, and hands it to the emitters', async () => {
  const { stdout: out, exit } = await runMica(['audit', '--csv', demo, '--gpu', 'h100', '--plan', '--json']);
  expect(exit).toBe(0);
  const plan = JSON.parse(out) as {
    readonly schema: string;
    readonly gpus: number;
    readonly assignment: unknown[];
  };
  expect(plan).toMatchObject({ schema: 'mica/plan@1', gpus: 4 });
  expect(plan.assignment).toHaveLength(7);
  const emitted = await runMica(['audit', '--csv', demo, '--gpu', 'h100', '--plan', '--emit', 'mig-parted']);
  expect(emitted.stdout).toContain('mig-configs');
});

describe('what cannot be read', () => {
  const answers: Readonly<Record<string, { readonly status: number; readonly body: string }>> = {
    '/denied': { status: 401, body: 'no' },
    '/page': { status: 200, body: '<!doctype html><title>Log in</title>' },
    '/half': { status: 200, body: '{"status":"success","data":{"resultType":"vec' },
    '/broken': { status: 500, body: '{"status":"error","errorType":"internal","error":"tsdb is gone"}' },
  };
  let server: Server;
  let base = '';
  beforeAll(async () => {
    server = createServer((request, response) => {
      const [, name = ''] = /^(\/[a-z]+)/.exec(request.url ?? '') ?? [];
      const { status, body } = answers[name] ?? { status: 404, body: '' };
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it.each([
    ['/denied', 'access-refused'],
    ['/page', 'not-the-api'],
    ['/half', 'not-the-api'],
    ['/broken', 'server-failed'],
  ])('a server at %s: %s', async (path, code) => {
    const { stderr: err, exit } = await runMica(['audit', '--prometheus', `${base}${path}`]);
    expect(exit).toBe(3);
    expect(err).toContain(`[${code}]`);
  });

  it('no server at all', async () => {
    const { stderr: err, exit } = await runMica(['audit', '--prometheus', 'http://127.0.0.1:1']);
    expect(exit).toBe(3);
    expect(err).toContain('[server-unreachable]');
  });

  it.each<[string, readonly string[], string]>([
    ['no source', [], 'bad-usage'],
    ['two sources', ['--csv', demo, '--nvml'], 'bad-usage'],
    ['no file', ['--csv', join(folder, 'none.csv')], 'unreadable-file'],
    ['an empty file', ['--csv', fileOf('empty.csv', '')], 'bad-csv'],
    ['no memory column', ['--csv', fileOf('columns.csv', 'workload,timestamp\na,1\n')], 'bad-csv'],
    ['an unknown card', ['--csv', demo, '--gpu', 'voodoo-2'], 'unknown-model'],
    ['an emitter without a plan', ['--csv', demo, '--emit', 'vm'], 'bad-usage'],
    ['two formats', ['--csv', demo, '--json', '--format', 'html'], 'bad-usage'],
    ['a window that is none', ['--prometheus', 'http://x', '--window', 'soon'], 'bad-usage'],
    ['an end that is none', ['--prometheus', 'http://x', '--end', 'yesterday'], 'bad-usage'],
    ['a header that is none', ['--prometheus', 'http://x', '--header', 'X'], 'bad-usage'],
    [
      'a user without a password',
      ['--prometheus', 'http://x', '--basic-auth-file', fileOf('auth', 'me')],
      'bad-usage',
    ],
  ])('%s', async (_, flags, code) => {
    const { stderr: err, exit } = await runMica(['audit', ...flags]);
    expect(exit).toBe(2);
    expect(err).toContain(`[${code}]`);
  });
});
