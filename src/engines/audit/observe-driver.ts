/** The GPUs of this machine as a source of metrics: who holds how much memory of each GPU or slice, sampled for a while. */
import { modelOfProduct } from '#core/observe/device-model';
import { Collector } from '#core/observe/collector';
import type { Device, Holder } from '#core/observe/observation';
import { MicaError } from '#core/errors';
import type { DriverFailure, GpuDriver, GpuInfo, GpuInstance, GpuProcess } from '#ports/gpu-driver';
import type { MetricsSource } from '#ports/metrics-source';
import { sampleRepeatedly, type Sampling } from '#ports/sampling';

export interface DriverSourceOptions extends Sampling {
  readonly driver: GpuDriver;
  /** How this machine is called; left out: it is the only one. */
  readonly host?: string;
}

export function driverSource(options: DriverSourceOptions): MetricsSource {
  return {
    observe: async (request) => {
      const looks = new Looks(options);
      await sampleRepeatedly(options, request, (timeMs) => looks.look(timeMs));
      return { source: 'nvml', ...looks.finish() };
    },
  };
}

class Looks {
  readonly #driver: GpuDriver;
  readonly #host: string | null;
  readonly #collector = new Collector();
  /** How often each failed, and how it last did. */
  readonly #failures = new Map<string, { count: number; message: string }>();
  #looks = 0;
  #hasCounted = false;
  #hasUnread = false;

  constructor({ driver, host }: DriverSourceOptions) {
    this.#driver = driver;
    this.#host = host ?? null;
  }

  async look(timeMs: number): Promise<void> {
    const gpus = await this.#driver.gpus();
    this.#looks += 1;
    if (!gpus.ok) {
      // What never worked will not; what worked before may again.
      if (!this.#hasCounted) throw new MicaError('driver-failed', gpus.why.message);
      this.#fail('the list of GPUs', gpus);
      return;
    }
    if (gpus.value.length === 0) throw new MicaError('driver-failed', 'the driver lists no GPU');
    this.#hasCounted = true;
    for (const gpu of gpus.value) await this.#lookAt(gpu, timeMs);
  }

  finish() {
    const collector = this.#collector;
    if (collector.isEmpty) {
      const [first] = this.#failures.values();
      throw new MicaError('driver-failed', first?.message ?? 'the driver said nothing of any GPU');
    }
    for (const [what, { count, message }] of this.#failures) {
      collector.note(`${what} could not be read ${count} of ${this.#looks} times: ${message}.`);
    }
    if (this.#hasUnread) {
      collector.note(
        'The driver does not say how much memory some processes use; where several share a GPU, theirs is not known.',
      );
    }
    collector.note(
      'The driver tells memory per process, not how busy a GPU is, so that compute is not known.',
    );
    return collector.finish(() => null);
  }

  async #lookAt(gpu: GpuInfo, timeMs: number): Promise<void> {
    const name = `gpu-${gpu.index}`;
    const processes = await this.#driver.processes(gpu.uuid);
    const instances =
      gpu.mig?.current === true
        ? await this.#driver.instances(gpu.uuid)
        : { ok: true as const, value: [] as readonly GpuInstance[] };
    if (!processes.ok) {
      this.#fail(name, processes);
      return;
    }
    if (!instances.ok) {
      this.#fail(name, instances);
      return;
    }
    const device = this.#device(gpu);
    if (gpu.mig?.current !== true) {
      this.#record(device, processes.value, null, timeMs);
      return;
    }
    for (const { id, placement, memory } of instances.value) {
      const slice = { ...device, slice: { instanceId: id, profile: placement.profile } };
      const inside = processes.value.filter(({ instanceId }) => instanceId === id);
      this.#record(slice, inside, memory?.usedMiB ?? null, timeMs);
    }
    // Cut, and nothing on it: a card all the same.
    if (instances.value.length === 0) this.#record(device, [], null, timeMs);
  }

  /** `usedMiB`: of the device, as far as the driver says. */
  #record(device: Device, processes: readonly GpuProcess[], usedMiB: number | null, timeMs: number): void {
    const only = processes.length === 1 ? usedMiB : null;
    for (const process of processes) {
      this.#add(device, holderOf(process), process.usedMiB ?? only, timeMs);
      if (process.usedMiB === null && only === null) this.#hasUnread = true;
    }
    if (processes.length === 0) this.#add(device, { kind: 'nobody' }, usedMiB, timeMs);
  }

  /** No figure is no zero. */
  #add(device: Device, holder: Holder, usedMiB: number | null, timeMs: number): void {
    const handle = this.#collector.series(device, holder);
    if (usedMiB === null) this.#collector.see(handle, timeMs);
    else this.#collector.add(handle, 'memory', timeMs, usedMiB);
  }

  #device({ uuid, index, name }: GpuInfo): Device {
    return {
      host: this.#host,
      gpuUuid: uuid,
      gpuIndex: index,
      productName: name,
      model: modelOfProduct(name),
      slice: null,
    };
  }

  #fail(what: string, { why }: DriverFailure): void {
    const count = (this.#failures.get(what)?.count ?? 0) + 1;
    this.#failures.set(what, { count, message: why.message });
  }
}

function holderOf({ pid, name }: GpuProcess): Holder {
  return { kind: 'process', pid, name: name ?? `pid ${pid}` };
}
