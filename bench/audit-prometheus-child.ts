/** One measured process: an audit's look at a Prometheus, or the same queries sent bare. Its last line is the result. */
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { prometheusSource } from '#adapters/prometheus/source';
import { systemClock } from '#adapters/system/clock';
import type { PodOwners } from '#ports/pod-owners';
import { ownerOf } from './audit-fleet.js';

interface Query {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string | null;
}

export interface Measured {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly queries: number;
  readonly workloads: number;
  readonly samples: number;
  /** Of all answers; where they were only read. */
  readonly bytes?: number;
}

const [, , what = '', url = '', file = '', startMs = '', endMs = ''] = process.argv;
const atOnce = 4;
const started = performance.now();
const found = what === 'observe' ? await observe() : await sendBare();
const seconds = (performance.now() - started) / 1000;
const peakKiB = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
const measured: Measured = { seconds, peakMiB: Number(peakKiB) / 1024, ...found };
process.stdout.write(`${JSON.stringify(measured)}\n`);

async function observe() {
  const queries: Query[] = [];
  subscribe('undici:request:create', (message) => {
    const { method, path, body } = (
      message as { request: { method: 'GET' | 'POST'; path: string; body: Uint8Array | null } }
    ).request;
    queries.push({ method, path, body: body == null ? null : Buffer.from(body).toString() });
  });
  const owners: PodOwners = {
    ownersOf:
      async () =>
      ({ pod }) => ({ kind: 'Deployment', name: ownerOf(pod), via: 'name' }),
  };
  const { source, close } = prometheusSource({ url, concurrency: atOnce, clock: systemClock });
  const { workloads } = await source.observe({
    window: { startMs: Number(startMs), endMs: Number(endMs) },
    owners,
    progress: () => undefined,
    signal: new AbortController().signal,
  });
  await close();
  writeFileSync(file, JSON.stringify(queries));
  const samples = workloads.reduce((sum, { memory }) => sum + (memory?.samples ?? 0), 0);
  return { queries: queries.length, workloads: workloads.length, samples };
}

async function sendBare() {
  const queries = JSON.parse(readFileSync(file, 'utf8')) as Query[];
  const agent = new Agent({ connections: atOnce });
  const queue = queries.values();
  let bytes = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const { method, path, body } of queue) {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        const answer = await request(`${url}${path}`, { dispatcher: agent, method, headers, body });
        for await (const chunk of answer.body) bytes += (chunk as Buffer).length;
      }
    }),
  );
  await agent.close();
  return { queries: queries.length, workloads: 0, samples: 0, bytes };
}
