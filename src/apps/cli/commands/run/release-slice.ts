/** `mica release-slice SLICE`: out of quarantine, once nothing is in it. Exit 1: it is not in there, or not empty. */
import type { LeaseDesk, ReopenAnswer } from '#ports/lease-desk';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import type { DeskFlags } from '../serve/find-server.js';
import { withRun } from './open-run.js';
import { namesIn } from './slice-names.js';

export async function releaseSliceCommand(
  { screen, host, json }: Context,
  [slice]: readonly [string],
  flags: DeskFlags & { readonly force?: boolean },
): Promise<AnswerExit> {
  return withRun(host, flags, async ({ desk }) => {
    const refusal = await releaseSlice(desk, slice, flags.force === true);
    if (json) printJson(screen, refusal === null ? { ok: true } : { ok: false, why: refusal });
    else if (refusal === null) screen.print(`${slice} can be leased again`);
    else screen.note(`mica: ${refusal.message}`);
    return refusal === null ? 0 : 1;
  });
}

type Refusal = Extract<ReopenAnswer, { readonly ok: false }>['why'];

async function releaseSlice(desk: LeaseDesk, name: string, force: boolean): Promise<Refusal | null> {
  const { slices, quarantine } = await desk.list();
  const nameOf = namesIn(slices);
  const found = quarantine.find(({ slice }) => slice === name || nameOf(slice) === name);
  if (found === undefined) {
    const others = quarantine.map(({ slice }) => nameOf(slice)).join(', ') || 'none';
    return { kind: 'not-quarantined', message: `${name} is not in quarantine; these are: ${others}` };
  }
  const answer = await desk.reopen(found.slice, force);
  return answer.ok ? null : { ...answer.why, message: answer.why.message.replaceAll(found.slice, name) };
}
