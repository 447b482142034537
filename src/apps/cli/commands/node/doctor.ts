/** `mica node doctor`: can the GPUs of this machine be cut, and if not, what to do. Exit 1: something is bad. */
import { machineFacts } from '#adapters/system/machine-facts';
import { historyOf } from '#engines/change/history';
import type { ChangePorts } from '#engines/change/ports';
import type { AnswerExit, Context } from '../../command.js';
import { printJson } from '../../terminal/json.js';
import { printable, type Style } from '../../terminal/screen.js';
import { machineChecks } from './check-machine.js';
import type { Check } from './check.js';
import { checksOf } from './checks.js';
import { withNode, type DriverFlags } from './open-node.js';
import { seeGpus } from './see-gpus.js';

export async function doctorCommand(
  { screen, host, json }: Context,
  _positional: readonly never[],
  flags: DriverFlags,
): Promise<AnswerExit> {
  const checks = await withNode(host, flags, async (ports) => {
    const seen = await seeGpus(ports.driver);
    // Simulated GPUs are in no machine.
    const facts = ports.driver.kind === 'nvml' ? await machineFacts() : null;
    return [
      ...machineChecks(seen, facts),
      ...(await interrupted(ports)),
      ...seen.flatMap((gpu) => checksOf(gpu, facts)),
    ];
  });
  const ok = !checks.some(({ verdict }) => verdict === 'bad');
  if (json) printJson(screen, { ok, checks });
  else for (const check of checks) screen.print(describe(check, screen.style));
  return ok ? 0 : 1;
}

function describe({ gpu, check, verdict, message, fix }: Check, style: Style): string {
  const colour = { ok: style.green, warn: style.yellow, bad: style.red, unknown: style.dim }[verdict];
  const where = (gpu === null ? 'machine' : `gpu-${gpu}`).padEnd(8);
  const line = `${where}${colour(verdict.padEnd(8))}${check.padEnd(15)}${printable(message)}`;
  return fix === undefined || verdict === 'ok'
    ? line
    : `${line}\n${' '.repeat(16)}${verdict === 'unknown' ? 'how to find out' : 'what to do'}: ${fix}`;
}

async function interrupted(ports: ChangePorts): Promise<readonly Check[]> {
  const open = (await historyOf(ports)).filter(({ outcome }) => outcome === null);
  return open.map(({ change }) => ({
    gpu: null,
    check: 'journal',
    verdict: 'bad',
    message: `the change ${change} was begun and not ended`,
    fix: 'wait if it is going on; run `mica node restore` if it was interrupted',
  }));
}
