/** Leases that may cut a GPU anew (`--recut`): what decides and what cuts, wired together. */
import { MicaError } from '#core/errors';
import { asArgument, type Layout } from '#core/geometry/placement';
import type { Recut } from '#core/run/recut';
import { changeGpus } from '#engines/change/change';
import type { ChangePorts } from '#engines/change/ports';
import { recutCards } from '#engines/change/recut-cards';
import type { Leases } from '#engines/run/leases';
import { recutting, type CutAnswer } from '#engines/run/recut';
import type { RunMachine } from './open-run.js';

/** `note`: what is done to the machine, in words. Throws MicaError where this process may not cut it. */
export function recutLeases(machine: RunMachine, note: (text: string) => void): Leases {
  if (machine.local === null) {
    throw new MicaError(
      'bad-usage',
      '--recut: this machine is shared, and its GPUs are cut by whoever runs it',
      {
        next: 'Leave --recut out; `mica ps` shows what is free.',
      },
    );
  }
  const { change, driver } = machine.local;
  return recutting({
    ...machine,
    driver,
    cards: (isFree) => recutCards(change, isFree),
    cut: (recut) => cut(change, recut),
    onRecut: (event) => {
      const { gpuIndex, switches, destroyed, created } = event.recut;
      if (event.kind === 'failed') {
        note(`GPU ${gpuIndex} could not be cut anew: ${event.why}`);
        return;
      }
      const parts = [
        ...(switches ? ['MIG on'] : []),
        ...listed('destroys', destroyed),
        ...listed('creates', created),
      ];
      note(`GPU ${gpuIndex} is cut anew: ${parts.join('; ')}`);
    },
  });
}

async function cut(ports: ChangePorts, recut: Recut): Promise<CutAnswer> {
  const { gpuUuid, placements, switches } = recut;
  const wanted = { gpu: gpuUuid, want: { mig: true, placements } } as const;
  const { outcome, gpus } = await changeGpus(ports, [wanted], { allowModeChange: switches });
  if (outcome === 'done' || outcome === 'unchanged') return { ok: true };
  const [gpu] = gpus;
  const why = [gpu?.why?.message ?? outcome, ...(gpu?.next === undefined ? [] : [gpu.next])].join('; ');
  return { ok: false, refused: outcome === 'refused', why };
}

function listed(what: string, placements: Layout): readonly string[] {
  return placements.length === 0 ? [] : [`${what} ${placements.map(asArgument).join(', ')}`];
}
