/** Device and holder from the labels of a dcgm-exporter row, under every name that they go by. */
import { modelOfProduct } from './device-model.js';
import type { Device, Holder } from './observation.js';

/** The value of a label; `undefined` or empty: not there. */
export type Label = (name: string) => string | undefined;

const hostLabels = ['Hostname', 'hostname', 'node', 'instance'] as const;
const podLabels = { ours: ['pod', 'pod_name'], theirs: ['exported_pod'] } as const;
const namespaceLabels = { ours: ['namespace', 'pod_namespace'], theirs: ['exported_namespace'] } as const;
const containerLabels = { ours: ['container', 'container_name'], theirs: ['exported_container'] } as const;

/** The UUID is the card's, on the rows of slices too. */
export function deviceOfLabels(label: Label): Device {
  const instanceId = wholeNumber(label('GPU_I_ID'));
  const profile = label('GPU_I_PROFILE') || null;
  const productName = label('modelName') || null;
  return {
    host: first(label, hostLabels)?.replace(/:\d+$/, '') ?? null,
    gpuUuid: label('UUID') || null,
    gpuIndex: wholeNumber(label('gpu')),
    productName,
    model: modelOfProduct(productName),
    slice: instanceId === null && profile === null ? null : { instanceId, profile },
  };
}

/**
 * A Prometheus that does not honour labels keeps `pod` for the exporter's own pod and moves the workload's to
 * `exported_pod`. There (`isRelabelled`) a row without `exported_pod` is of nobody, whatever its `pod` says.
 */
export function holderOfLabels(label: Label, isRelabelled: boolean): Holder {
  const names = (of: typeof podLabels | typeof namespaceLabels | typeof containerLabels) =>
    first(label, isRelabelled ? of.theirs : [...of.theirs, ...of.ours]);
  const pod = names(podLabels);
  if (pod === undefined || isExporter(pod)) return { kind: 'nobody' };
  return {
    kind: 'pod',
    namespace: names(namespaceLabels) ?? '',
    pod,
    container: names(containerLabels) ?? null,
  };
}

/** Whether any row has the labels of a Prometheus that does not honour labels. */
export function isRelabelledBy(label: Label): boolean {
  return first(label, podLabels.theirs) !== undefined;
}

/** It asks DCGM and holds no GPU; where it is named, Prometheus named it. */
function isExporter(pod: string): boolean {
  return /(^|-)dcgm-exporter-/.test(pod);
}

function first(label: Label, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = label(name);
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
