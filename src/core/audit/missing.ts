/** Why nothing can be said of a workload yet, and how to find it out. */
import type { ObservedWorkload } from '../observe/observation.js';
import { counted, duration, grouped, listed, percent } from './words.js';

/** Fewer samples of memory are no ground for a size. */
const fewestSamples = 100;

/** `null`: enough is known. */
export function whatIsMissing(observed: ObservedWorkload): string | null {
  const { memory } = observed;
  if (memory === null) return noMemory(observed);
  if (memory.samples < fewestSamples) return tooFew(observed, memory.samples);
  return isTimeSliced(observed) ? timeSliced(observed) : null;
}

/** Pods on one device that are all shown the whole device's figures: nobody's figures are their own. */
export function isTimeSliced({ memory, shared }: ObservedWorkload): boolean {
  return shared.identical > shared.samples / 2 && shared.samples > 0.05 * (memory?.samples ?? 0);
}

function noMemory({ dropped }: ObservedWorkload): string {
  const read = dropped.sentinel + dropped.text + dropped.notFinite + dropped.negative;
  const values = read === 0 ? '' : `; ${counted(read, 'value')} came and could not be believed`;
  return (
    `no figure of its memory was seen, which is not the same as none used${values}: ` +
    'see that DCGM_FI_DEV_FB_USED (or memory.used of nvidia-smi) is exported for its GPUs'
  );
}

function tooFew({ coverage: { everyMs } }: ObservedWorkload, samples: number): string {
  const lacking = fewestSamples - samples;
  const wait =
    everyMs === null ? '' : `, about ${duration(lacking * everyMs)} more at one every ${duration(everyMs)}`;
  return `${counted(samples, 'sample')} of its memory, at least ${fewestSamples} are needed: observe for longer${wait}`;
}

function timeSliced({ shared, memory }: ObservedWorkload): string {
  const others = shared.others.length === 0 ? 'other pods' : listed(shared.others);
  return (
    `it shares a GPU with ${others} by time-slicing, and ${grouped(shared.identical)} of ${grouped(shared.samples)} ` +
    `shared samples (${percent(shared.samples / (memory?.samples ?? 1))} of all) are equal to theirs to the last ` +
    "digit: each pod is shown the whole GPU's figures. Set KUBERNETES_VIRTUAL_GPUS=true on dcgm-exporter, or run it " +
    'alone on a GPU for a day, to know its own'
  );
}
