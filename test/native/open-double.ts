/** A machine of the double with a driver open on it, for the length of one test. */
import { onTestFinished } from 'vitest';
import { openNvml } from '#adapters/nvml/driver';
import type { DriverAnswer, DriverFailure, GpuDriver } from '#ports/gpu-driver';
import { makeMachine, type DoubleCard, type DoubleMachine } from './machine.js';

export interface OpenDouble {
  readonly machine: DoubleMachine;
  readonly driver: GpuDriver;
  /** Of the first card. */
  readonly uuid: string;
}

/** `mig`: the cards come with MIG on. */
export async function openDouble(cards: readonly DoubleCard[], mig = true): Promise<OpenDouble> {
  const machine = makeMachine(cards);
  if (mig) for (const index of cards.keys()) machine.setMode(index, true);
  const driver = await openNvml({ libraryPath: machine.libraryPath, smiPath: machine.smiPath });
  onTestFinished(async () => {
    await driver.close();
    machine.remove();
  });
  return { machine, driver, uuid: machine.uuids[0] ?? '' };
}

export async function valueOf<T>(answer: Promise<DriverAnswer<T>>): Promise<T> {
  const got = await answer;
  if (!got.ok) throw new Error(`refused as ${got.why.kind}: ${got.why.message}`);
  return got.value;
}

export async function whyNot(answer: Promise<DriverAnswer<unknown>>): Promise<DriverFailure['why']> {
  const got = await answer;
  if (got.ok) throw new Error('expected a refusal');
  return got.why;
}
