/** `mica ps`: who has which slices, who waits, and which slices nobody gets. Changes nothing. */
import { wishInWords } from '#core/run/choose-slices';
import { machineSlices } from '#engines/run/machine-slices';
import { hasEnded } from '#engines/run/ports';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { printable } from '../../terminal/screen.js';
import { tableOf } from '../../terminal/table.js';
import type { DriverFlags } from '../node/open-node.js';
import { withRun, type RunMachine } from './open-run.js';
import { namesIn } from './slice-names.js';

export async function psCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: DriverFlags,
): Promise<AnswerExit> {
  return withRun(host, flags, async (machine): Promise<AnswerExit> => {
    const answer = await lookAt(machine);
    if (json) {
      printJson(screen, answer);
      return 0;
    }
    const { leases, queue, quarantine, free } = answer;
    const command = (words: readonly string[]): string => printable(words.join(' '));
    if (leases.length > 0) {
      const columns = [
        { head: 'lease' },
        { head: 'slices' },
        { head: 'holder' },
        { head: 'for' },
        { head: 'command' },
      ];
      const rows = leases.map((lease) => [
        lease.id,
        lease.slices.join(' '),
        lease.state === 'held' ? `pid ${lease.pid}` : `pid ${lease.pid}, gone`,
        inWords(lease.heldMs),
        command(lease.command),
      ]);
      screen.print(tableOf(screen, columns, rows));
    }
    for (const { pid, wish, waitedMs, command: words } of queue) {
      screen.print(`waits: pid ${pid} for ${inWords(waitedMs)}, wants ${printable(wish)}: ${command(words)}`);
    }
    for (const { slice, why } of quarantine) {
      screen.print(`quarantine: ${slice}: ${printable(why)} (mica release-slice ${slice})`);
    }
    screen.print(`free: ${free.join(' ') || 'none'}`);
    return 0;
  });
}

async function lookAt(machine: RunMachine) {
  const slices = await machineSlices(machine.driver);
  const nameOf = namesIn(slices);
  const nowMs = machine.clock.nowMs();
  const found = await machine.store.read((tables) => ({
    leases: tables.leases(),
    requests: tables.requests(),
    quarantined: tables.quarantined(),
  }));
  const kept = new Set([
    ...found.leases.flatMap((lease) => lease.slices),
    ...found.quarantined.map(({ slice }) => slice),
  ]);
  return {
    leases: found.leases.map(({ id, slices: ids, holder, command, grantedMs, state, groups }) => ({
      id,
      slices: ids.map(nameOf),
      pid: holder.pid,
      /** `gone`: whoever asks for a slice next takes it back. */
      state: state.kind === 'held' && hasEnded(machine, holder) ? 'gone' : state.kind,
      groups: groups.map(({ pid }) => pid),
      heldMs: Math.max(0, nowMs - grantedMs),
      command,
    })),
    queue: [...found.requests]
      .sort((a, b) => b.wish.priority - a.wish.priority || a.askedMs - b.askedMs)
      .map(({ id, holder, wish, askedMs, command }) => ({
        id,
        pid: holder.pid,
        wish: wishInWords(wish),
        priority: wish.priority,
        waitedMs: Math.max(0, nowMs - askedMs),
        command,
      })),
    quarantine: found.quarantined.map(({ slice, why, sinceMs }) => ({ slice: nameOf(slice), why, sinceMs })),
    free: slices.filter(({ id }) => !kept.has(id)).map(({ id }) => nameOf(id)),
  };
}

/** `90` seconds are `1m 30s`. */
function inWords(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}
