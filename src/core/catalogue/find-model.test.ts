import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { models } from './catalogue.js';
import { findModel } from './find-model.js';
import { machineTypes } from './machine-types.js';

function keyOf(query: string): string {
  const answer = findModel(query);
  return answer.ok ? answer.model.key : answer.why.kind;
}

describe('findModel', () => {
  test.each([
    ['rtx-pro-6000-blackwell-server', 'key', 'rtx-pro-6000-blackwell-server'],
    ['h100', 'alias', 'h100-80gb-sxm'],
    ['H100', 'alias', 'h100-80gb-sxm'],
    ['rtx-pro-6000', 'alias', 'rtx-pro-6000-blackwell-server'],
    ['RTX PRO 6000', 'alias', 'rtx-pro-6000-blackwell-server'],
    ['V100M16', 'alias', 'v100-16gb'],
    ['V100M32', 'alias', 'v100-32gb'],
    ['NVIDIA H100 80GB HBM3', 'product-name', 'h100-80gb-sxm'],
    ['NVIDIA RTX PRO 6000 Blackwell Server Edition', 'product-name', 'rtx-pro-6000-blackwell-server'],
    ['NVIDIA A100-SXM4-80GB', 'product-name', 'a100-80gb'],
    ['A100-SXM4-40GB', 'product-name', 'a100-40gb'],
    ['NVIDIA H200', 'product-name', 'h200-141gb'],
    ['Tesla T4', 'product-name', 't4-16gb'],
    ['NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition', 'gfd-label', 'rtx-pro-6000-blackwell-server'],
    ['NVIDIA-H100-80GB-HBM3-MIG-1g.10gb', 'gfd-label', 'h100-80gb-sxm'],
    ['NVIDIA-H100-80GB-HBM3-MIG-1g.10gb.me-SHARED', 'gfd-label', 'h100-80gb-sxm'],
    ['NVIDIA-A100-SXM4-40GB-SHARED', 'gfd-label', 'a100-40gb'],
    ['NVIDIA-A100-SXM4-40GB-MIG-INVALID', 'gfd-label', 'a100-40gb'],
    ['2BB5', 'pci-id', 'rtx-pro-6000-blackwell-server'],
    ['0x2BB5', 'pci-id', 'rtx-pro-6000-blackwell-server'],
    ['0x2BB510DE', 'pci-id', 'rtx-pro-6000-blackwell-server'],
    ['10de:2bb5', 'pci-id', 'rtx-pro-6000-blackwell-server'],
    ['nvidia-rtx-pro-6000', 'gke-accelerator', 'rtx-pro-6000-blackwell-server'],
    ['nvidia-h100-mega-80gb', 'gke-accelerator', 'h100-80gb-sxm'],
    ['nvidia-tesla-a100', 'gke-accelerator', 'a100-40gb'],
    ['nvidia-a100-80gb', 'gke-accelerator', 'a100-80gb'],
    ['nvidia-h100-80gb', 'gke-accelerator', 'h100-80gb-sxm'],
    ['nvidia-h200-141gb', 'gke-accelerator', 'h200-141gb'],
    ['nvidia-tesla-t4', 'gke-accelerator', 't4-16gb'],
    ['nvidia-tesla-v100', 'gke-accelerator', 'v100-16gb'],
    ['nvidia-l4', 'gfd-label', 'l4-24gb'],
    ['nvidia-b200', 'gfd-label', 'b200-180gb'],
    ['nvidia-gb200', 'gfd-label', 'gb200-186gb'],
    ['g4-standard-48', 'machine-type', 'rtx-pro-6000-blackwell-server'],
    ['a2-highgpu-1g', 'machine-type', 'a100-40gb'],
    ['p5.48xlarge', 'machine-type', 'h100-80gb-sxm'],
    ['b200', 'part-of-key', 'b200-180gb'],
    ['a100-80', 'part-of-key', 'a100-80gb'],
    ['nvidia-b300', 'part-of-key', 'b300-269gb'],
  ])('%s by %s', (query, matchedBy, key) => {
    expect(findModel(query)).toMatchObject({ ok: true, matchedBy, model: { key } });
  });

  test.each([
    ['a100', ['a100-40gb', 'a100-80gb', 'a100-64gb-sxm']],
    ['nvidia-a100', ['a100-40gb', 'a100-80gb', 'a100-64gb-sxm']],
    ['v100', ['v100-16gb', 'v100-32gb']],
    ['h200', ['h200-141gb', 'h200-nvl-141gb']],
    ['h100-80gb', ['h100-80gb-sxm', 'h100-80gb-pcie']],
    ['2BB3', ['rtx-pro-5000-blackwell-48gb', 'rtx-pro-5000-blackwell-72gb']],
  ])('%s fits several models and lists them', (query, candidates) => {
    const answer = findModel(query);
    expect(answer).toMatchObject({ ok: false, why: { kind: 'ambiguous-model', candidates } });
    for (const key of candidates) expect(!answer.ok && answer.why.message).toContain(key);
  });

  test('cards that share a PCI device id are told apart by the subsystem id', () => {
    const answer = findModel('25b6');
    expect(answer).toMatchObject({ ok: false, why: { candidates: ['a2-16gb', 'a16-16gb'] } });
    expect(!answer.ok && answer.why.message).toContain('a16-16gb (subsystem 14A9)');
  });

  test.each([
    ['g4-standard-6', '1/8'],
    ['g4-standard-12', '1/4'],
    ['G4-Standard-24', '1/2'],
  ])('%s is %s of a card, which the cloud has cut already', (query, fraction) => {
    const answer = findModel(query);
    expect(answer).toMatchObject({
      ok: false,
      why: { kind: 'fractional-gpu', candidates: ['g4-standard-48'] },
    });
    expect(!answer.ok && answer.why.message).toContain(fraction);
    expect(!answer.ok && answer.why.message).toContain('cannot be partitioned');
  });

  test.each([
    ['a30-24bg', 'a30-24gb'],
    ['h100-80gb-sxn', 'h100-80gb-sxm'],
    ['rtx pro 600', 'rtx-pro-6000-blackwell-server'],
    ['g4-standard-49', 'g4-standard-48'],
    ['nvidia l4o', 'l40-48gb'],
  ])('%s is unknown and near to %s', (query, candidate) => {
    const answer = findModel(query);
    expect(answer).toMatchObject({ ok: false, why: { kind: 'unknown-model' } });
    expect(!answer.ok && answer.why.candidates).toContain(candidate);
    expect(!answer.ok && answer.why.message).toContain(`did you mean`);
  });

  test('a cover name of a trace is no card, and nothing is suggested for it', () => {
    expect(findModel('G2')).toMatchObject({ ok: false, why: { kind: 'unknown-model', candidates: [] } });
  });
});

describe('every name of every model', () => {
  const names = models().flatMap((model) => [
    ...[model.key, ...model.aliases, ...model.productNames, ...model.gkeAccelerators].map((name) => ({
      name,
      model,
    })),
    ...model.productNames.flatMap((product) => {
      const label = product.replaceAll(' ', '-');
      return [label, `${label}-SHARED`, `${label}-MIG-1g.10gb`].map((name) => ({ name, model }));
    }),
  ]);

  test('means that model and no other, in any case and with blanks around it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.infiniteStream(fc.boolean()), ({ name, model }, coins) => {
        const mixed = Array.from(name, (letter) =>
          coins.next().value ? letter.toUpperCase() : letter.toLowerCase(),
        );
        expect(keyOf(` ${mixed.join('')} `)).toBe(model.key);
      }),
      { numRuns: 2000 },
    );
    for (const { name, model } of names) expect(keyOf(name), name).toBe(model.key);
  });

  test('a PCI id, in all its spellings, means its model or lists all that carry it', () => {
    for (const id of new Set(models().flatMap((model) => model.pciDeviceIds))) {
      const carriers = models().filter((model) => model.pciDeviceIds.includes(id));
      for (const query of [id, `0x${id}`, `0x${id}10DE`, `${id}10de`, `10de:${id.toLowerCase()}`]) {
        const answer = findModel(query);
        const found = answer.ok ? [answer.model.key] : answer.why.candidates;
        expect(found, query).toEqual(carriers.map((model) => model.key));
      }
    }
  });

  test('a machine type means the model of its GPUs, unless it has only a fraction of one', () => {
    for (const { name, model, gpus } of machineTypes) {
      expect(keyOf(name.toUpperCase()), name).toBe(gpus < 1 ? 'fractional-gpu' : model);
    }
  });

  test('no two models claim one name', () => {
    const claims = new Map<string, Set<string>>();
    for (const { name, model } of names) {
      const claimed = claims.get(name.toLowerCase()) ?? new Set();
      claims.set(name.toLowerCase(), claimed.add(model.key));
    }
    expect([...claims].filter(([, keys]) => keys.size > 1)).toEqual([]);
  });
});

test('a long text is answered at once and shown cut', () => {
  const answer = findModel('h100 '.repeat(200_000));
  expect(!answer.ok && answer.why.message.length).toBeLessThan(200);
});

test('whatever is asked, the answer is a model or says why not, with candidates that exist', () => {
  const known = new Set([
    ...models().map((model) => model.key),
    ...machineTypes.map((machine) => machine.name),
  ]);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9 .-]{0,12}$/)), (query) => {
      const answer = findModel(query);
      if (answer.ok) return;
      expect(answer.why.message).toContain(query.trim());
      for (const candidate of answer.why.candidates) expect(known).toContain(candidate);
    }),
    { numRuns: 1000 },
  );
});
