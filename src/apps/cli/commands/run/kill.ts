/** `mica kill LEASE`: ends whoever has it and what runs on it. Exit 1: it could not be. */
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import type { DeskFlags } from '../serve/find-server.js';
import { withRun } from './open-run.js';
import { namesIn } from './slice-names.js';

export async function killCommand(
  { screen, host, json }: Context,
  [lease]: readonly [string],
  flags: DeskFlags,
): Promise<AnswerExit> {
  return withRun(host, flags, async ({ desk }) => {
    const answer = await desk.end(lease);
    if (!answer.ok) {
      if (json) printJson(screen, answer);
      else
        screen.note(
          `mica: ${answer.why.message}\nWhat to do: \`mica ps\` lists the leases and their holders.`,
        );
      return 1;
    }
    const quarantined = answer.quarantined.map(namesIn((await desk.list()).slices));
    if (json) printJson(screen, { ok: true, quarantined });
    else
      screen.print([`${lease} ended`, ...quarantined.map((slice) => `${slice} is in quarantine`)].join('; '));
    return 0;
  });
}
