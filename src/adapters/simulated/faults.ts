/** Calls that go wrong on purpose, and a list of all calls: what tests of everything that changes GPUs need. */
import type { DriverRefusal, GpuDriver } from '#ports/gpu-driver';

/** The calls that can fail; waiting for an Xid and closing cannot. */
export type DriverCallName = Exclude<keyof GpuDriver, 'kind' | 'close' | 'nextXid'>;

export interface DriverCall {
  readonly name: DriverCallName;
  readonly gpuUuid: string | null;
  /** What followed the UUID. */
  readonly args: readonly (number | boolean)[];
}

/** `after`: the work was done and the answer says that it was not. */
type FaultMoment = 'before' | 'after';

export interface Fault {
  readonly refusal: DriverRefusal;
  readonly moment: FaultMoment;
}

export class Faults {
  /** Every call so far, in the order in which they began. */
  readonly calls: DriverCall[] = [];
  readonly #planned = new Map<string, Fault>();

  /** The `nth` call of this name (from 1, counted over all drivers that share these faults) is refused. */
  failOn(name: DriverCallName, nth: number, refusal: DriverRefusal, moment: FaultMoment = 'before'): this {
    this.#planned.set(`${name} ${nth}`, { refusal, moment });
    return this;
  }

  /** Takes note of a call; the answer is what is to go wrong with it. */
  begin(call: DriverCall): Fault | null {
    this.calls.push(call);
    const nth = this.calls.filter(({ name }) => name === call.name).length;
    return this.#planned.get(`${call.name} ${nth}`) ?? null;
  }
}
