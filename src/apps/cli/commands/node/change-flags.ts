/** What a change of this machine is allowed to do, as the command line says it. */
import { MicaError } from '#core/errors';
import type { ChangeOptions, NamedInstance } from '#engines/change/options';
import { longestTimeMs, timeSpanMs } from '../../arguments.js';
import type { DriverFlags } from './open-node.js';

export interface ChangeFlags extends DriverFlags {
  readonly dryRun?: boolean;
  /** `true`: without a time. */
  readonly drain?: string | true;
  readonly kill?: boolean;
  readonly wait?: string | true;
  readonly keepGoing?: boolean;
  readonly keepMode?: boolean;
  readonly mayDestroy?: string;
  readonly yes?: boolean;
}

export function changeOptionsFrom(flags: ChangeFlags): ChangeOptions {
  const { drain, kill = false, wait, mayDestroy } = flags;
  if (kill && drain === undefined)
    throw new MicaError('bad-usage', '--kill says how --drain ends; add --drain');
  return {
    ...(drain === undefined
      ? {}
      : {
          drain: {
            graceMs: drain === true ? 30_000 : timeSpanMs('--drain', drain, longestTimeMs),
            then: kill ? 'kill' : 'refuse',
          },
        }),
    ...(wait === undefined
      ? {}
      : { waitMs: wait === true ? 600_000 : timeSpanMs('--wait', wait, longestTimeMs) }),
    ...(mayDestroy === undefined ? {} : { mayDestroyForeign: foreignOf(mayDestroy) }),
    keepGoing: flags.keepGoing === true,
    dryRun: flags.dryRun === true,
    allowModeChange: flags.keepMode !== true,
  };
}

/** `all`, or `GPU/PROFILE:START,...`. */
function foreignOf(text: string): 'all' | readonly NamedInstance[] {
  if (text === 'all') return 'all';
  return text.split(',').map((item) => {
    const [, gpu = '', profile = '', start = ''] =
      /^(\d{1,4})\/([^:/\s]+):(\d{1,2})$/.exec(item.trim()) ?? [];
    if (gpu === '') {
      throw new MicaError(
        'bad-usage',
        `--may-destroy takes all or GPU/PROFILE:START, as in 0/1g.24gb:3; got '${item}'`,
      );
    }
    return { gpu: Number(gpu), profile, start: Number(start) };
  });
}
