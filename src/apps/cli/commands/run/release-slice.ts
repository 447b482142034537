/** `mica release-slice SLICE`: out of quarantine, once nothing is in it. Exit 1: it is not in there, or not empty. */
import { machineSlices, processesIn, processesInWords } from '#engines/run/machine-slices';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import type { DriverFlags } from '../node/open-node.js';
import { withRun, type RunMachine } from './open-run.js';
import { namesIn } from './slice-names.js';

export async function releaseSliceCommand(
  { screen, host, json }: Context,
  [slice]: readonly [string],
  flags: DriverFlags & { readonly force?: boolean },
): Promise<AnswerExit> {
  return withRun(host, flags, async (machine) => {
    const refusal = await releaseSlice(machine, slice, flags.force === true);
    if (json) printJson(screen, refusal === null ? { ok: true } : { ok: false, why: refusal });
    else if (refusal === null) screen.print(`${slice} can be leased again`);
    else screen.note(`mica: ${refusal.message}`);
    return refusal === null ? 0 : 1;
  });
}

interface Refusal {
  readonly kind: 'not-quarantined' | 'in-use';
  readonly message: string;
}

async function releaseSlice(machine: RunMachine, name: string, force: boolean): Promise<Refusal | null> {
  const slices = await machineSlices(machine.driver);
  const nameOf = namesIn(slices);
  const quarantined = await machine.store.read((tables) => tables.quarantined());
  const found = quarantined.find(({ slice }) => slice === name || nameOf(slice) === name);
  if (found === undefined) {
    const others = quarantined.map(({ slice }) => nameOf(slice)).join(', ') || 'none';
    return { kind: 'not-quarantined', message: `${name} is not in quarantine; these are: ${others}` };
  }
  const inside = await processesIn(
    machine.driver,
    slices.filter(({ id }) => id === found.slice),
  );
  const processes = inside.get(found.slice) ?? [];
  if (processes.length > 0 && !force) {
    return { kind: 'in-use', message: `${processesInWords(processes)} in ${name}: end it first, or --force` };
  }
  await machine.store.transact((tables) => tables.removeQuarantine(found.slice));
  return null;
}
