/** What the user may say about the NVIDIA GPU Operator in the cluster. */

export interface GpuOperatorOptions {
  /** `mixed` (the default): a resource per size. `single`: all slices of a node are one size, as `nvidia.com/gpu`. */
  readonly strategy?: 'mixed' | 'single';
  /** The operator's namespace; `gpu-operator` when left out. */
  readonly operatorNamespace?: string;
}
