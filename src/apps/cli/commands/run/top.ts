/** `mica top`: the slices of this machine, live: who has them, who is in them, and how full they are. */
import type { DeskView } from '#ports/lease-desk';
import { numberBetween } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { follow, type Frame } from '../node/follow.js';
import { seeGpus, type SeenGpu } from '../node/see-gpus.js';
import type { DeskFlags } from '../serve/find-server.js';
import { describeTop } from './describe-top.js';
import { withRun, type RunMachine } from './open-run.js';
import { shown } from './ps.js';
import { rowsAtServer, rowsOf, type TopSlice } from './top-rows.js';

export interface TopFlags extends DeskFlags {
  readonly interval?: string;
  readonly once?: boolean;
}

const usualEveryMs = 2_000;

export async function topCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  { interval, once = false, ...flags }: TopFlags,
): Promise<AnswerExit> {
  const everyMs =
    interval === undefined ? usualEveryMs : numberBetween('--interval', interval, 0.1, 86_400) * 1000;
  // Who writes into a file or a pipe wants to know how it is; who says how often wants to go on.
  const follows = !once && (screen.isTerminal || interval !== undefined);
  await withRun(host, flags, async (machine) => {
    const look = (): Promise<Frame> => lookAt(machine);
    if (follows) return follow(host, json, { clock: machine.clock, everyMs }, look);
    const frame = await look();
    if (json) printJson(screen, frame.asJson());
    else screen.print(frame.describe(screen));
  });
  return 0;
}

async function lookAt({ desk, local }: RunMachine): Promise<Frame> {
  const view = await desk.list();
  const seen = local === null ? [] : await seeGpus(local.driver);
  const rows = local === null ? rowsAtServer(view, await usedAt(desk, view)) : rowsOf(seen, view);
  return {
    asJson: () => asJson(seen, rows, view),
    describe: (screen) => describeTop(screen, { seen, rows, view: shown(view) }),
  };
}

/** A server says of slices that are the caller's own how much memory they have in use. */
async function usedAt(
  desk: RunMachine['desk'],
  { leases }: DeskView,
): Promise<ReadonlyMap<string, number | null>> {
  const own = leases.flatMap(({ slices }) => slices);
  return new Map(
    await Promise.all(own.map(async (id) => [id, await desk.usedMiB(id).catch(() => null)] as const)),
  );
}

function asJson(seen: readonly SeenGpu[], rows: readonly TopSlice[], view: DeskView): object {
  const { queue, quarantine } = shown(view);
  return {
    gpus: seen.map(({ info: { index, uuid, name, mig }, troubles }) => ({
      ...{ index, uuid, name, mig },
      ...(troubles.length === 0 ? {} : { troubles }),
    })),
    slices: rows.map(({ lease, ...row }) => ({
      ...row,
      lease:
        lease === null
          ? null
          : (({ id, tenant, pid, state, groups, heldMs, command }) => ({
              ...{ id, tenant, pid, state, groups, heldMs, command },
            }))(lease),
    })),
    queue,
    quarantine,
  };
}
