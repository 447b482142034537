/**
 * The rows of one card of one time, held back until that time is over: only then it shows whether rows of the whole
 * card stand beside rows of its slices, which count the same use twice, and whether several holders share a device.
 */
import type { Reading } from './believe.js';
import type { Device } from './observation.js';
import type { Series } from './series.js';

export class GpuMoments {
  /** As first seen. */
  readonly device: Device;
  readonly slices = new Map<string, NonNullable<Device['slice']>>();
  /** Rows of the whole card that were left out, since its slices had rows too. */
  ignoredWholeRows = 0;
  /** Moments with and without a holder: of memory, and of anything else. */
  readonly held = { memory: 0, other: 0 };
  readonly free = { memory: 0, other: 0 };
  readonly #served = { held: 0, free: 0 };
  #timeMs = NaN;
  #memoryMs = -Infinity;
  #count = 0;
  readonly #series: Series[] = [];
  readonly #readings: (Reading | null)[] = [];
  readonly #values: number[] = [];

  constructor(device: Device) {
    this.device = device;
  }

  /** How often somebody held any of it, and how often nobody did. */
  get moments(): { readonly held: number; readonly free: number } {
    const { held, free } = this.#served;
    if (held > 0) return { held: Math.max(held, free), free: 0 };
    if (free > 0) return { held, free };
    const counted = this.held.memory + this.free.memory > 0 ? 'memory' : 'other';
    return { held: this.held[counted], free: this.free[counted] };
  }

  /** A server made its figures, so that of the card as of its slices only the number of samples is known. */
  serve({ holder, samples }: Series): void {
    const kind = holder.kind === 'nobody' ? 'free' : 'held';
    this.#served[kind] = Math.max(this.#served[kind], samples);
  }

  /** `reading: null`: the series was seen, without a figure that is believed. */
  add(series: Series, reading: Reading | null, timeMs: number, value: number): void {
    if (timeMs !== this.#timeMs) {
      this.flush();
      this.#timeMs = timeMs;
    }
    if (reading === 'memory') {
      // Activity may come after all of the memory, since nothing is found out from both together.
      if (timeMs < this.#memoryMs) series.isLate = true;
      this.#memoryMs = timeMs;
    }
    this.#series[this.#count] = series;
    this.#readings[this.#count] = reading;
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  flush(): void {
    const count = this.#count;
    if (count === 0) return;
    const isCut = this.#hasBoth();
    let hasMemory = false;
    let isHeld = false;
    for (let index = 0; index < count; index += 1) {
      const series = this.#series[index]!;
      const reading = this.#readings[index] ?? null;
      if (isCut && series.device.slice === null) {
        if (reading !== null) this.ignoredWholeRows += 1;
        continue;
      }
      if (series.holder.kind !== 'nobody') isHeld = true;
      if (reading === 'memory') hasMemory = true;
      if (reading === null) series.seen(this.#timeMs);
      else series.record(reading, this.#timeMs, this.#values[index]!);
    }
    (isHeld ? this.held : this.free)[hasMemory ? 'memory' : 'other'] += 1;
    if (hasMemory && count > 1) this.#findSharing(isCut);
    this.#count = 0;
  }

  #hasBoth(): boolean {
    if (this.slices.size === 0) return false;
    let whole = false;
    let slice = false;
    for (let index = 0; index < this.#count; index += 1) {
      if (this.#series[index]!.device.slice === null) whole = true;
      else slice = true;
    }
    return whole && slice;
  }

  /** Few holders share one device, so that pairs are few too. */
  #findSharing(isCut: boolean): void {
    for (let one = 0; one < this.#count; one += 1) {
      if (!this.#canShare(one, isCut)) continue;
      const series = this.#series[one]!;
      let isShared = false;
      let isIdentical = false;
      for (let other = 0; other < this.#count; other += 1) {
        if (other === one || !this.#canShare(other, isCut)) continue;
        const beside = this.#series[other]!;
        if (beside === series || beside.deviceKey !== series.deviceKey) continue;
        isShared = true;
        // Memory of a process is its own, so that equal workers are just that.
        if (series.holder.kind !== 'process' && this.#values[other] === this.#values[one]) isIdentical = true;
        series.sharedWith.add(beside);
      }
      if (isShared) series.shared += 1;
      if (isIdentical) series.identical += 1;
    }
  }

  #canShare(index: number, isCut: boolean): boolean {
    const { holder, device } = this.#series[index]!;
    return (
      this.#readings[index] === 'memory' && holder.kind !== 'nobody' && !(isCut && device.slice === null)
    );
  }
}
