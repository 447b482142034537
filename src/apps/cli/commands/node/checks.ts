/** What must be true of a GPU before it can be cut, each with what to do where it is not. Pure: the facts are arguments. */
import type { MachineFacts } from '#adapters/system/machine-facts';
import { asArgument } from '#core/geometry/placement';
import { displayMode, resizableBar } from './check-board.js';
import { idle } from './check-idle.js';
import { pendingMode, resettable } from './check-reset.js';
import { driver, modules, vbios } from './check-versions.js';
import type { Check, Finding } from './check.js';
import type { SeenGpu } from './see-gpus.js';

/** `facts`: `null` for GPUs that are not in this machine. */
export function checksOf(gpu: SeenGpu, facts: MachineFacts | null): readonly Check[] {
  const { info, troubles } = gpu;
  const findings: readonly (Finding | null)[] = [
    ...troubles.map(unanswered),
    capable(gpu),
    ...(info.mig === null
      ? []
      : [
          driver(gpu),
          vbios(gpu),
          displayMode(gpu, facts),
          resizableBar(gpu, facts),
          modules(gpu, facts),
          resettable(gpu, facts),
          pendingMode(gpu, facts),
          idle(gpu, facts),
          usable(gpu),
        ]),
  ];
  return findings.flatMap((finding) => (finding === null ? [] : { gpu: info.index, ...finding }));
}

function unanswered(message: string): Finding {
  const fix = 'look at the kernel log (`dmesg | grep -i nvrm`); a reset or a reboot brings back a lost GPU';
  return { check: 'answers', verdict: 'bad', message, fix };
}

function capable({ info, model }: SeenGpu): Finding {
  const check = 'mig';
  if (info.mig !== null) {
    const unheardOf = ', which the catalogue does not know: the driver is believed';
    return { check, verdict: 'ok', message: `${info.name}${model === null ? unheardOf : ''}` };
  }
  if (model === null || model.kind === 'no-mig') {
    return { check, verdict: 'ok', message: `${info.name} has no MIG and is used whole` };
  }
  const message = `${info.name} has MIG, and its driver says that it has not`;
  const fix = 'update the driver; a virtual machine needs the whole GPU passed through, not a vGPU';
  return { check, verdict: 'bad', message, fix };
}

function usable({ instances }: SeenGpu): Finding | null {
  const empty = instances.filter(({ computeInstances }) => computeInstances.length === 0);
  if (empty.length === 0) return null;
  const which = empty.map((one) => asArgument(one.placement)).join(', ');
  return {
    check: 'slices',
    verdict: 'warn',
    message: `without a compute instance, so nothing can run there: ${which}`,
    fix: '`mica node apply` with a layout that has them makes the rest',
  };
}
