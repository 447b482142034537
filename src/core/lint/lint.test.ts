import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findModel } from '#core/catalogue/find-model';
import type { MigModel } from '#core/catalogue/model';
import { ruleNames, type Finding } from './finding.js';
import { lintDocument } from './lint.js';
import type { LintOptions } from './rule.js';

const card = (name: string): MigModel => {
  const found = findModel(name);
  if (!found.ok || found.model.kind !== 'mig') throw new Error(name);
  return found.model;
};

const usual: LintOptions = { target: 'gpu-operator', cards: null, audited: [], headroom: 0.1 };

/** A Deployment with one container; `spec` beside its containers. */
function deployment(container: string, spec = ''): unknown {
  return parse(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: bert, namespace: search }
spec:
  template:
    spec:
      tolerations: [{ key: nvidia.com/gpu, operator: Exists }]
      ${spec}
      containers:
        - { name: main, image: i, ${container} }`);
}

const asking = (limits: string, spec = ''): unknown =>
  deployment(`resources: { limits: { ${limits} } }`, spec);

function rulesOf(document: unknown, options: Partial<LintOptions> = {}): readonly Finding['rule'][] {
  return lintDocument(document, { ...usual, ...options }).map(({ rule }) => rule);
}

it('says nothing of what is right', () => {
  expect(rulesOf(asking('nvidia.com/mig-1g.24gb: 1'))).toEqual([]);
  expect(rulesOf(asking('nvidia.com/gpu: 1'))).toEqual([]);
  expect(rulesOf(asking('nvidia.com/gpu: 8'))).toEqual([]);
  expect(rulesOf(asking('cpu: 4'))).toEqual([]);
  expect(rulesOf(asking('nvidia.com/gpu: 0'))).toEqual([]);
  expect(rulesOf(parse('apiVersion: v1\nkind: Service\nspec: {}'))).toEqual([]);
  for (const nothing of [null, 1, 'text', [], {}]) expect(rulesOf(nothing)).toEqual([]);
});

describe('names', () => {
  it('+ is no letter of Kubernetes', () => {
    expect(rulesOf(asking('nvidia.com/mig-1g.24gb+me: 1'))).toEqual(['plus-in-name']);
    const selector = 'nodeSelector: { cloud.google.com/gke-gpu-partition-size: 1g.24gb+gfx }';
    expect(rulesOf(asking('nvidia.com/gpu: 1', selector), { target: 'gke' })).toContain('plus-in-name');
  });

  it('a profile that no card has, or not this one: what to ask for instead', () => {
    const [nowhere] = lintDocument(asking('nvidia.com/mig-9g.99gb: 1'), usual);
    expect(nowhere).toMatchObject({ rule: 'unknown-profile', severity: 'error' });
    const cards = [card('rtx-pro-6000')];
    const [elsewhere] = lintDocument(asking('nvidia.com/mig-3g.72gb: 1'), { ...usual, cards });
    expect(elsewhere).toMatchObject({ rule: 'not-on-this-card', fix: 'ask for 2g.48gb or 4g.96gb' });
  });
});

describe('GKE', () => {
  const target = 'gke';

  it('has no resource for each size', () => {
    const [finding] = lintDocument(asking('nvidia.com/mig-1g.24gb: 1'), { ...usual, target });
    expect(finding).toMatchObject({ rule: 'mig-resource-on-gke', severity: 'error' });
    expect(finding?.edits).toEqual([
      {
        kind: 'rename',
        path: ['spec', 'template', 'spec', 'containers', 0, 'resources', 'limits', 'nvidia.com/mig-1g.24gb'],
        key: 'nvidia.com/gpu',
      },
      {
        kind: 'set',
        path: ['spec', 'template', 'spec', 'nodeSelector', 'cloud.google.com/gke-gpu-partition-size'],
        value: '1g.24gb',
      },
    ]);
  });

  it('two sizes in one pod cannot be on one node: a person decides', () => {
    const both = asking('nvidia.com/mig-1g.24gb: 1, nvidia.com/mig-2g.48gb: 1');
    const findings = lintDocument(both, { ...usual, target }).filter(
      ({ rule }) => rule === 'mig-resource-on-gke',
    );
    expect(findings.map(({ edits }) => edits)).toEqual([[], []]);
  });

  it('cuts only some sizes, and shared ones are had one at a time', () => {
    const on = (size: string, more = '') =>
      `nodeSelector: { cloud.google.com/gke-accelerator: nvidia-rtx-pro-6000, cloud.google.com/gke-gpu-partition-size: ${size}${more} }`;
    expect(rulesOf(asking('nvidia.com/gpu: 1', on('1g.24gb')), { target })).toEqual([]);
    expect(rulesOf(asking('nvidia.com/gpu: 1', on('3g.72gb')), { target })).toEqual(['gke-size']);
    const shared = on('1g.24gb', ', cloud.google.com/gke-max-shared-clients-per-gpu: "4"');
    expect(rulesOf(asking('nvidia.com/gpu: 2', shared), { target })).toContain('shared-count');
  });
});

it('DRA: slices are claimed', () => {
  const findings = lintDocument(asking('nvidia.com/mig-1g.24gb: 1'), { ...usual, target: 'dra' });
  expect(findings.map(({ rule }) => rule)).toEqual(['mig-resource-under-dra']);
  expect(findings[0]?.edits.at(-1)).toMatchObject({
    kind: 'add-document',
    value: { kind: 'ResourceClaimTemplate', metadata: { name: 'mig-1g-24gb', namespace: 'search' } },
  });
});

it('counts are whole, and limits are requests', () => {
  expect(rulesOf(asking('nvidia.com/gpu: 0.5'))).toEqual(['bad-count']);
  expect(rulesOf(asking('nvidia.com/gpu: "half"'))).toEqual(['bad-count']);
  expect(rulesOf(deployment('resources: { requests: { nvidia.com/gpu: 1 } }'))).toEqual([
    'limits-and-requests',
  ]);
  expect(
    rulesOf(deployment('resources: { limits: { nvidia.com/gpu: "1" }, requests: { nvidia.com/gpu: 1 } }')),
  ).toEqual([]);
});

it('slices do not talk to each other', () => {
  expect(rulesOf(asking('nvidia.com/mig-1g.24gb: 2'))).toEqual(['several-slices']);
  const limits = 'resources: { limits: { nvidia.com/mig-1g.24gb: 1 } }';
  expect(rulesOf(deployment(`${limits}, env: [{ name: NCCL_DEBUG, value: INFO }]`))).toEqual([
    'several-slices',
  ]);
  expect(rulesOf(deployment(`${limits}, args: [--tensor-parallel-size=2]`))).toEqual(['several-slices']);
  expect(rulesOf(deployment(`${limits}, args: [--tensor-parallel-size, '1']`))).toEqual([]);
});

it('a taint that nobody tolerates for the pod', () => {
  const bare = parse(
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, resources: {limits: {nvidia.com/mig-1g.24gb: 1}}}]}',
  ) as unknown;
  expect(rulesOf(bare)).toEqual(['toleration']);
  expect(rulesOf(bare, { target: 'gke' })).toEqual(['mig-resource-on-gke']);
});

it('devices taken around the plugin', () => {
  expect(rulesOf(deployment('env: [{ name: NVIDIA_VISIBLE_DEVICES, value: all }]'))).toEqual([
    'around-the-plugin',
  ]);
  expect(rulesOf(deployment('env: [{ name: NVIDIA_VISIBLE_DEVICES, value: none }]'))).toEqual([]);
});

it('a slice that holds less than was used', () => {
  const audited = [
    { workload: 'bert', namespace: 'search', kind: 'Deployment', memoryMiB: 30_000, profile: '2g.48gb' },
  ];
  const cards = [card('rtx-pro-6000')];
  const [finding] = lintDocument(asking('nvidia.com/mig-1g.24gb: 1'), { ...usual, audited, cards });
  expect(finding).toMatchObject({ rule: 'too-small', fix: 'ask for 2g.48gb' });
  expect(rulesOf(asking('nvidia.com/mig-2g.48gb: 1'), { audited, cards })).toEqual([]);
  const others = audited.map((one) => ({ ...one, namespace: 'other' }));
  expect(rulesOf(asking('nvidia.com/mig-1g.24gb: 1'), { audited: others, cards })).toEqual([]);
});

it('configurations of mig-parted that no card holds', () => {
  const config = (devices: string) =>
    parse(
      `version: v1\nmig-configs: { mine: [{ devices: all, device-filter: '0x2BB510DE', mig-enabled: true, mig-devices: {${devices}} }] }`,
    ) as unknown;
  expect(rulesOf(config('1g.24gb: 2, 2g.48gb: 1'))).toEqual([]);
  expect(rulesOf(config('1g.24gb: 3, 2g.48gb: 1'))).toEqual(['impossible-layout']);
  const mps = parse(
    'sharing: { mps: { resources: [{ name: nvidia.com/mig-1g.24gb, replicas: 2 }] } }',
  ) as unknown;
  expect(rulesOf(mps)).toEqual(['mps-on-mig']);
});

it('finds pods in kinds that nobody has listed, and in lists', () => {
  const job = parse(`
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: { name: t }
spec: { pytorchReplicaSpecs: { Worker: { template: { spec: { containers: [{ name: c, image: i, resources: { limits: { nvidia.com/mig-9g.9gb: 1 } } }] } } } } }`) as unknown;
  expect(rulesOf(job)).toContain('unknown-profile');
  expect(rulesOf({ apiVersion: 'v1', kind: 'List', items: [job] })).toContain('unknown-profile');
});

it('the guide has a row for each rule', () => {
  const page = readFileSync(new URL('../../../docs/guides/lint.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name);
  expect(listed.sort()).toEqual([...ruleNames].sort());
});
