/** A slice out of quarantine, once nothing is in it. */
import type { ReopenAnswer } from '#ports/lease-desk';
import { processesIn, processesInWords } from '../machine-slices.js';
import type { Caller } from './caller.js';
import { seeSlices, type House } from './house.js';

export async function reopen(
  house: House,
  { tenant }: Caller,
  slice: string,
  force: boolean,
): Promise<ReopenAnswer> {
  const { store, driver } = house.ports;
  const shut = await store.read((tables) => tables.quarantined());
  // Whoever runs the machine looks at what broke.
  if (tenant !== null || !shut.some((one) => one.slice === slice)) {
    return { ok: false, why: { kind: 'not-quarantined', message: `${slice} is not in quarantine` } };
  }
  const here = (await seeSlices(house)).filter(({ id }) => id === slice);
  const processes = (await processesIn(driver, here)).get(slice) ?? [];
  if (processes.length > 0 && !force) {
    const message = `${processesInWords(processes)} in ${slice}: end it first, or --force`;
    return { ok: false, why: { kind: 'in-use', message } };
  }
  await store.transact((tables) => tables.removeQuarantine(slice));
  return { ok: true };
}
