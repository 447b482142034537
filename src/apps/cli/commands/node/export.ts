/** `mica node export`: what is cut on this machine now, as a file that `node apply` or nvidia-mig-parted takes. */
import { hostname } from 'node:os';
import { MicaError } from '#core/errors';
import { yamlFile } from '#engines/emit/yaml-text';
import type { AnswerExit, Context } from '../../command.js';
import { apiVersion } from '../../documents/schemas.js';
import { printJson } from '../../terminal/json.js';
import { withNode, type DriverFlags } from './open-node.js';
import { seeGpus, type SeenGpu } from './see-gpus.js';
import { filterOf } from './wishes.js';

export interface ExportFlags extends DriverFlags {
  readonly format: 'mica' | 'mig-parted';
  readonly node?: string;
  readonly config?: string;
}

export async function exportCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  { format, node = hostname(), config = 'current', ...flags }: ExportFlags,
): Promise<AnswerExit> {
  const seen = await withNode(host, flags, ({ driver }) => seeGpus(driver));
  const silent = seen.find(({ troubles }) => troubles.length > 0);
  if (silent !== undefined) {
    throw new MicaError('driver-failed', `GPU ${silent.info.index}: ${silent.troubles[0] ?? ''}`);
  }
  const value = format === 'mica' ? layoutOf(seen, node) : migPartedOf(seen, config);
  if (json) printJson(screen, value);
  else screen.write(yamlFile([{ value }]));
  const whole = seen.filter((gpu) => !isCut(gpu)).map(({ info }) => info.index);
  if (format === 'mica' && whole.length > 0) {
    screen.note(`note: GPU ${whole.join(', ')} without MIG is left out; a Layout document has slices only`);
  }
  return 0;
}

function layoutOf(seen: readonly SeenGpu[], node: string): object {
  const gpus = seen.filter(isCut).map(({ info, instances }) => ({
    node,
    index: info.index,
    placements: instances.map(({ placement: { profile, start, size } }) => ({ profile, start, size })),
  }));
  return { apiVersion, kind: 'Layout', spec: { gpus } };
}

/** Equal GPUs share an entry; where the machine has several kinds of cards, entries say which kind they are about. */
function migPartedOf(seen: readonly SeenGpu[], config: string): object {
  const isMixed = new Set(seen.map(({ info }) => info.pciDeviceId)).size > 1;
  const groups = new Map<string, SeenGpu[]>();
  for (const gpu of seen) {
    const key = JSON.stringify([gpu.info.pciDeviceId, isCut(gpu), countsOf(gpu)]);
    groups.set(key, [...(groups.get(key) ?? []), gpu]);
  }
  const entries = [...groups.values()].map((gpus) => {
    const [first] = gpus;
    const cut = first !== undefined && isCut(first);
    return {
      ...(isMixed && first !== undefined ? { 'device-filter': [filterOf(first.info.pciDeviceId)] } : {}),
      devices: groups.size === 1 ? 'all' : gpus.map(({ info }) => info.index),
      'mig-enabled': cut,
      ...(cut ? { 'mig-devices': countsOf(first) } : {}),
    };
  });
  return { version: 'v1', 'mig-configs': { [config]: entries } };
}

function countsOf({ instances }: SeenGpu): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of instances.map(({ placement }) => placement.profile).sort()) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function isCut({ info }: SeenGpu): boolean {
  return info.mig?.current === true;
}
