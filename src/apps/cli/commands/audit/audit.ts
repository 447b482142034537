/** `mica audit`: what workloads used of their GPUs in; the smallest safe slice for each, and what that saves, out. */
import { systemClock } from '#adapters/system/clock';
import { loadSolver } from '#adapters/highs/solver';
import type { AuditOptions } from '#core/audit/audit-observation';
import { MicaError } from '#core/errors';
import { audit, type Audited } from '#engines/audit/audit';
import { modelNamed, timeSpanMs } from '../../arguments.js';
import type { AnswerExit, Context } from '../../command.js';
import { pricesFileFrom, sizingFrom } from '../../settings.js';
import { progressOn } from '../../terminal/progress.js';
import type { Host } from '../../terminal/screen.js';
import type { AuditFlags } from './flags.js';
import { ownersFrom } from './owners.js';
import { planAudited } from './plan.js';
import { renderAudit } from './render-audit.js';
import { deviceFrom, withSource } from './source.js';

const longestWindowMs = 400 * 86_400_000;

/** Exit 1: nothing was there to be judged; with `--plan`, as `mica plan`. */
export async function auditCommand(
  context: Context,
  _positional: readonly never[],
  flags: AuditFlags,
): Promise<AnswerExit> {
  checkTogether(flags);
  const options = await optionsFrom(flags, context.host);
  const audited = await lookAndSize(context.host, flags, options);
  if (flags.plan === true) return planAudited(context, audited, options, flags);
  const { answer } = audited;
  const { screen, json } = context;
  const format = json ? 'json' : flags.format;
  for (const piece of await renderAudit(answer, format, screen, flags.verbose)) screen.write(piece);
  return answer.workloads.length === 0 ? 1 : 0;
}

function checkTogether({ plan = false, emit, out, format, json = false }: AuditFlags): void {
  if (json && format !== 'table' && format !== 'json') {
    throw new MicaError('bad-usage', `--json and --format ${format} ask for two formats; leave one out`);
  }
  if (!plan && emit !== undefined) {
    throw new MicaError('bad-usage', '--emit writes a plan; add --plan');
  }
  if (!plan && out !== undefined) {
    throw new MicaError('bad-usage', '--out is the folder of --plan --emit', {
      next: 'Send the report to a file instead: mica audit ... --format html > audit.html',
    });
  }
  if (plan && format !== 'table' && format !== 'json') {
    throw new MicaError('bad-usage', `--plan prints a plan, not a report in ${format}; leave --format out`);
  }
}

async function optionsFrom(flags: AuditFlags, { env }: Host): Promise<AuditOptions> {
  const { headroom, speeds } = await sizingFrom(flags, env);
  const pricesFile = await pricesFileFrom(flags.prices, env);
  const { defaultPrices } = await import('#core/cost/default-prices');
  const { readInputs } = await import('../../documents/inputs.js');
  const prices =
    pricesFile === undefined ? defaultPrices : (await readInputs([pricesFile], defaultPrices)).prices;
  return {
    strategy: flags.strategy,
    prices,
    ...(headroom === undefined ? {} : { headroom }),
    ...(speeds === undefined ? {} : { speeds }),
    ...(flags.gpu === undefined ? {} : { gpu: modelNamed(flags.gpu) }),
    ...(flags.measuredOn === undefined ? {} : { measuredOn: deviceFrom(flags.measuredOn) }),
  };
}

async function lookAndSize(host: Host, flags: AuditFlags, options: AuditOptions): Promise<Audited> {
  const endMs = flags.end === undefined ? systemClock.nowMs() : timeFrom(flags.end);
  const windowMs =
    flags.window === undefined ? 7 * 86_400_000 : timeSpanMs('--window', flags.window, longestWindowMs);
  if (windowMs < 60_000) throw new MicaError('bad-usage', '--window must be at least 1m');
  const progress = progressOn(host, systemClock.nowMs);
  const stop = new AbortController();
  const interrupt = (): void => {
    stop.abort();
  };
  process.once('SIGINT', interrupt);
  try {
    const { solve } = await loadSolver();
    const window = { startMs: endMs - windowMs, endMs };
    return await withSource(host, flags, async ({ source, owners }) =>
      audit(
        source,
        {
          window,
          owners: await ownersFrom(flags, owners?.(window)),
          progress: ({ what, part }) => {
            progress.report(what, part);
          },
          signal: stop.signal,
        },
        options,
        solve,
      ),
    );
  } finally {
    process.removeListener('SIGINT', interrupt);
    progress.done();
  }
}

function timeFrom(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text)
    ? Date.parse(text)
    : NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new MicaError('bad-usage', `--end takes a time as in 2026-11-20T08:00:00Z; got '${text}'`);
}
