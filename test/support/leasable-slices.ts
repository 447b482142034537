/** Slices for tests: `slicesOn('0 1g.24gb:0 1g.24gb:3 2g.48gb:6', '1 whole')`, on cards of 12 units and 96 GiB. */
import type { LeasableSlice } from '#core/run/slice';

export function slicesOn(...gpus: readonly string[]): readonly LeasableSlice[] {
  return gpus.flatMap((text) => {
    const [index = '', ...places] = text.split(' ');
    return places.map((place) => sliceAt(Number(index), place));
  });
}

function sliceAt(gpuIndex: number, place: string): LeasableSlice {
  const [name = '', start] = place.split(':');
  const isWhole = name === 'whole';
  const sizeUnits = isWhole ? 12 : 3 * Number.parseInt(name, 10);
  const gpuUuid = `GPU-${gpuIndex}`;
  return {
    id: isWhole ? gpuUuid : `${gpuUuid}/${place}#1`,
    gpuUuid,
    gpuIndex,
    model: 'rtx-pro-6000-blackwell-server',
    profile: isWhole ? null : name,
    start: isWhole ? null : Number(start),
    instanceId: isWhole ? null : 1,
    device: isWhole ? gpuUuid : `MIG-${gpuIndex}-${place}`,
    memoryMiB: sizeUnits * 8192,
    sizeUnits,
    gridUnits: 12,
  };
}
