/** A controller's news, a line each: words for people, or JSON for programs. What others wrote cannot pass for a line of ours. */
import { onOneLine } from '#apps/cli/terminal/screen';
import type { News } from '#engines/reconcile/news';

export type Level = 'info' | 'warn' | 'error';

/** What the process says of itself, besides what its engine says. */
export type OwnNews =
  | { readonly kind: 'started'; readonly identity: string; readonly server: string; readonly listens: string }
  | { readonly kind: 'stopped'; readonly why: string };

export type LogEntry = News | OwnNews;

const longestText = 2_000;

/** `write` gets whole lines. */
export function logTo(
  write: (line: string) => unknown,
  json: boolean,
  now: () => Date,
): (entry: LogEntry) => void {
  let lastTurn = '';
  return (entry) => {
    if (entry.kind === 'turn') {
      // A sign of life for every change in the cluster; only one that says something new is worth a line.
      const turn = JSON.stringify(entry);
      if (turn === lastTurn) return;
      lastTurn = turn;
    }
    const time = now().toISOString();
    const level = levelOf(entry);
    write(
      json
        ? `${asciiControls(JSON.stringify({ time, level, ...entry }, shortened))}\n`
        : `${time} ${level} ${onOneLine(short(inWords(entry)))}\n`,
    );
  };
}

function levelOf(entry: LogEntry): Level {
  if (entry.kind === 'trouble') return 'warn';
  if (entry.kind !== 'change-ended') return 'info';
  if (entry.outcome === 'failed') return 'error';
  return entry.outcome === 'done' || entry.outcome === 'unchanged' ? 'info' : 'warn';
}

function inWords(entry: LogEntry): string {
  switch (entry.kind) {
    case 'started':
      return `started as ${entry.identity} for ${entry.server}; ${entry.listens}`;
    case 'stopped':
      return `stopped: ${entry.why}`;
    case 'leading':
      return 'leading';
    case 'following':
      return `following ${entry.holder}, which leads`;
    case 'stepped-down':
      return `stepped down: ${entry.why}`;
    case 'turn': {
      const figures = entry.policies.map(
        ({ policy, nodes, waitingPods, stuckNodes }) =>
          `${policy}: ${nodes} nodes, ${waitingPods} pods wait` +
          (stuckNodes === 0 ? '' : `, ${stuckNodes} nodes are stuck`),
      );
      const changing = entry.changing === 0 ? [] : [`changing ${entry.changing}`];
      return `looked: ${[...figures, ...changing].join('; ') || 'no policies'}`;
    }
    case 'planned':
      return `planned in ${seconds(entry.tookMs)}: ${entry.verdict}`;
    case 'change-began':
      return `${entry.node}: begins, for policy ${entry.policy}, to become ${entry.to}`;
    case 'progress':
      return `${entry.node}: ${entry.says}`;
    case 'change-ended': {
      const { node, outcome, tookMs, evicted, message } = entry;
      return `${node}: ${outcome} after ${seconds(tookMs)}, ${evicted} pods evicted: ${message}`;
    }
    case 'advice':
      return `policy ${entry.policy}: ${entry.says}`;
    case 'trouble':
      return entry.message;
  }
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

function shortened(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? short(value) : value;
}

function short(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}…`;
}

/** JSON leaves these as they are, and terminals and editors act on them. */
function asciiControls(text: string): string {
  return text.replace(
    /[\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
