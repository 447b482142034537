/** Whether a controller lives and can be counted on, from what it tells of itself. */
import type { News } from '#engines/reconcile/news';
import type { Clock } from '#ports/clock';

export interface Verdict {
  readonly ok: boolean;
  /** A sentence for whoever looks. */
  readonly says: string;
}

export interface Health {
  readonly onNews: (news: News) => void;
  /** `no`: it hangs, and is better started anew. That the cluster does not answer is no reason for that. */
  readonly alive: () => Verdict;
  /** It knows who leads; where it is itself, it has the cluster in view. */
  readonly ready: () => Verdict;
}

type Role =
  | { readonly kind: 'starting' }
  | { readonly kind: 'following'; readonly holder: string }
  | { readonly kind: 'leading'; readonly hasLooked: boolean }
  | { readonly kind: 'stepped-down'; readonly why: string };

/** A leader looks around at least so often, and whoever is neither leading nor following says why not. */
const longestSilenceMs = 120_000;

export function healthOf(clock: Clock): Health {
  let role: Role = { kind: 'starting' };
  let lastSignMs = clock.nowMs();
  const alive = (): Verdict => {
    if (role.kind === 'following') return { ok: true, says: wordsFor(role) };
    const silentMs = clock.nowMs() - lastSignMs;
    const says = `${wordsFor(role)}; last sign of life ${Math.max(0, Math.round(silentMs / 1000))} s ago`;
    return { ok: silentMs <= longestSilenceMs, says };
  };
  return {
    onNews: (news) => {
      role = after(role, news);
      // A leader's troubles are no sign that it gets through its turns.
      if (news.kind !== 'trouble' || role.kind !== 'leading') lastSignMs = clock.nowMs();
    },
    alive,
    ready: () => {
      if (role.kind === 'following' || (role.kind === 'leading' && role.hasLooked)) return alive();
      return { ok: false, says: wordsFor(role) };
    },
  };
}

function after(role: Role, news: News): Role {
  switch (news.kind) {
    case 'leading':
      return { kind: 'leading', hasLooked: false };
    case 'following':
      return { kind: 'following', holder: news.holder };
    case 'stepped-down':
      return { kind: 'stepped-down', why: news.why };
    case 'turn':
      return role.kind === 'leading' ? { kind: 'leading', hasLooked: true } : role;
    case 'planned':
    case 'change-began':
    case 'progress':
    case 'change-ended':
    case 'advice':
    case 'trouble':
      return role;
  }
}

function wordsFor(role: Role): string {
  switch (role.kind) {
    case 'starting':
      return 'starting: it does not lead yet, and knows of nobody who does';
    case 'following':
      return `following ${role.holder}, which leads`;
    case 'leading':
      return role.hasLooked ? 'leading' : 'leading, and has not seen the cluster yet';
    case 'stepped-down':
      return `stepped down: ${role.why}`;
  }
}
