/** Which of several equal processes works: the one that holds a lease, and only for as long as that is certain. */
import type { Clock } from '#ports/clock';
import type { LeaderLease } from '#ports/leader-lease';
import { askFor, beginTerm, type Held } from './lead-term.js';
import type { News } from './news.js';

export interface LeadOptions {
  readonly onNews: (news: News) => void;
  /** Ends it, once the work has ended and the lease is given back. */
  readonly signal: AbortSignal;
  /** Between two tries to get the lease. */
  readonly retryMs?: number;
}

/** Told to end by its signal, it ends as soon as it can; until then the lease is kept where it can be. */
type Work = (leading: AbortSignal) => Promise<void>;

const firstBackOffMs = 1_000;
const longestBackOffMs = 30_000;
/** The same trouble is told again after that: whoever reads the log sees that it lasts. */
const sayAgainMs = 60_000;

/** Never two works of one process at once, and no error of the work ends it. */
export async function lead(
  lease: LeaderLease,
  clock: Clock,
  options: LeadOptions,
  work: Work,
): Promise<void> {
  const { signal, retryMs = 2_000 } = options;
  const tell = teller(options.onNews);
  const complain = complainer(clock, tell);
  let followed = '';
  let backOffMs = firstBackOffMs;
  let looksSuddenlyOver = false;
  let lookedMs = clock.nowMs();
  while (!signal.aborted) {
    const askedMs = clock.nowMs();
    const answer = await askFor(lease);
    // A clock that leaps makes the lease of another look over while it is not.
    looksSuddenlyOver ||= clock.nowMs() - lookedMs > 2 * retryMs;
    lookedMs = clock.nowMs();
    if (answer.kind === 'failed') complain(`the lease cannot be had: ${answer.why.message}`);
    // Without a name: it changed just then, and the next try knows whose it is.
    if (answer.kind === 'other' && answer.holder !== '' && answer.holder !== followed) {
      followed = answer.holder;
      tell({ kind: 'following', holder: followed });
    }
    if (answer.kind !== 'held' || clock.nowMs() < askedMs) {
      await clock.sleep(retryMs, signal);
      continue;
    }
    const { untilMs } = answer;
    // Whoever led before has heard that we took the lease, or sees its own time over, once it has run out.
    const restMs = looksSuddenlyOver && followed !== '' ? untilMs - askedMs : 0;
    const ending = await leadFor(lease, clock, { untilMs, askedMs }, { signal, retryMs, restMs, tell, work });
    followed = '';
    looksSuddenlyOver = false;
    lookedMs = clock.nowMs();
    if (ending === 'ended') {
      await clock.sleep(retryMs, signal);
    } else {
      // Work that went well for long has not failed again: it failed.
      if (lookedMs - askedMs > 2 * longestBackOffMs) backOffMs = firstBackOffMs;
      await clock.sleep(backOffMs, signal);
      backOffMs = Math.min(2 * backOffMs, longestBackOffMs);
    }
  }
}

interface TermOptions {
  readonly signal: AbortSignal;
  readonly retryMs: number;
  /** Holds it for so long before it begins. */
  readonly restMs: number;
  readonly tell: (news: News) => void;
  readonly work: Work;
}

async function leadFor(
  lease: LeaderLease,
  clock: Clock,
  held: Held,
  { signal, retryMs, restMs, tell, work }: TermOptions,
): Promise<'ended' | 'failed'> {
  const trouble = (message: string): void => tell({ kind: 'trouble', message });
  const term = beginTerm(lease, clock, held, retryMs, trouble);
  const stop = (): void => term.stop('it was told to end');
  let ending: 'ended' | 'failed' = 'ended';
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  if (restMs > 0) await clock.sleep(restMs, term.signal);
  const isOver = (): boolean => term.signal.aborted;
  if (!isOver()) {
    tell({ kind: 'leading' });
    const stepDown = (): void => tell({ kind: 'stepped-down', why: wordsOf(term.signal.reason) });
    term.signal.addEventListener('abort', stepDown);
    try {
      await work(term.signal);
      term.stop('its work is done');
    } catch (error) {
      if (!isOver()) {
        ending = 'failed';
        term.stop(`it failed: ${wordsOf(error)}`);
      } else if (!isOfAbort(error, term.signal)) trouble(`while it was ending: ${wordsOf(error)}`);
    }
  }
  signal.removeEventListener('abort', stop);
  await term.end();
  try {
    if (term.isOurs()) await lease.release();
  } catch (error) {
    trouble(`the lease cannot be given back, and is over by itself: ${wordsOf(error)}`);
  }
  return ending;
}

/** Whoever listens cannot break it. */
function teller(onNews: (news: News) => void): (news: News) => void {
  return (news) => {
    try {
      onNews(news);
    } catch {
      // There is nobody to tell.
    }
  };
}

function complainer(clock: Clock, tell: (news: News) => void): (message: string) => void {
  let last = { message: '', atMs: -Infinity };
  return (message) => {
    const nowMs = clock.nowMs();
    if (message === last.message && nowMs - last.atMs < sayAgainMs && nowMs >= last.atMs) return;
    last = { message, atMs: nowMs };
    tell({ kind: 'trouble', message });
  };
}

function isOfAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
