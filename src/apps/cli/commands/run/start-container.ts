/** The container that a leased slice is for: how it is started, and its end, which its client's end is not. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lease } from '#engines/run/leases';
import type { Screen } from '../../terminal/screen.js';
import { inContainer, labelOf, type ContainerTool } from './container.js';

export interface ContainerRun {
  readonly command: readonly [string, ...string[]];
  /** Once the client has ended; a container that lives on is ended too. Never fails. */
  readonly end: () => Promise<void>;
}

export async function containerRun(
  screen: Screen,
  tool: ContainerTool,
  given: readonly [string, ...string[]],
  lease: Lease,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ContainerRun> {
  const { endContainers } = await import('#adapters/system/containers');
  // For its owner alone: whoever could write the file could name somebody else's container.
  const folder = await mkdtemp(join(tmpdir(), 'mica-container-'));
  const idFile = join(folder, 'id');
  const { command, engine } = inContainer(tool, given, { lease: lease.id, slices: lease.slices, idFile });
  return {
    command,
    end: async () => {
      const label = labelOf(lease.id);
      const { ended, failure } = await endContainers({ program: engine, env }, label, idFile);
      for (const id of ended)
        screen.note(`mica: container ${id.slice(0, 12)} outlived its client, and is ended`);
      if (failure !== null) {
        screen.note(`mica: a container may still run: ${failure}`);
        screen.note(
          `What to do: look at \`${engine.join(' ')} ps --filter label=${label}\`, and end what is there.`,
        );
      }
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}
