/** A GPU's name as it fits beside a drawing: `NVIDIA RTX PRO 6000 Blackwell Server Edition` is `RTX PRO 6000`. */
import type { GpuModel } from '#core/catalogue/model';

export function shortName({ name }: GpuModel): string {
  return name
    .replace(/^NVIDIA |^Tesla /, '')
    .replace(/ \(.*\)$| Generation\b| Blackwell\b| Server Edition| Edition/g, '');
}
