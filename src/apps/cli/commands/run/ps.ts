/** `mica ps`: who has which slices, who waits, and which slices nobody gets. Changes nothing. */
import { wishInWords } from '#core/run/choose-slices';
import type { DeskView } from '#ports/lease-desk';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { onOneLine } from '../../terminal/screen.js';
import { tableOf } from '../../terminal/table.js';
import type { DeskFlags } from '../serve/find-server.js';
import { withRun } from './open-run.js';
import { namesIn } from './slice-names.js';

export async function psCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: DeskFlags,
): Promise<AnswerExit> {
  return withRun(host, flags, async ({ desk }): Promise<AnswerExit> => {
    const answer = shown(await desk.list());
    if (json) {
      printJson(screen, answer);
      return 0;
    }
    const { leases, queue, quarantine, free } = answer;
    const command = (words: readonly string[]): string => onOneLine(words.join(' '));
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
    for (const line of waitLines({ queue, quarantine })) screen.print(line);
    screen.print(`free: ${free.join(' ') || 'none'}`);
    return 0;
  });
}

/** Who waits, and what nobody gets. */
export function waitLines({ queue, quarantine }: Pick<Shown, 'queue' | 'quarantine'>): readonly string[] {
  return [
    ...queue.map(({ pid, wish, waitedMs, command }) => {
      const words = onOneLine(command.join(' '));
      return `waits: pid ${pid} for ${inWords(waitedMs)}, wants ${onOneLine(wish)}: ${words}`;
    }),
    ...quarantine.map(
      ({ slice, why }) => `quarantine: ${slice}: ${onOneLine(why)} (mica release-slice ${slice})`,
    ),
  ];
}

export type Shown = ReturnType<typeof shown>;

/** With the names that people have for slices. */
export function shown({ slices, leases, queue, quarantine, free }: DeskView) {
  const nameOf = namesIn(slices);
  return {
    leases: leases.map((lease) => ({ ...lease, slices: lease.slices.map(nameOf) })),
    queue: queue.map(({ wish, ...request }) => ({
      ...request,
      wish: wishInWords(wish),
      priority: wish.priority,
    })),
    quarantine: quarantine.map((one) => ({ ...one, slice: nameOf(one.slice) })),
    free: free.map(nameOf),
  };
}

/** `90` seconds are `1m 30s`. */
export function inWords(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}
