/** Progress of long work on standard error: a bar that redraws itself on a terminal, a line now and then in a log. */
import type { Host } from './screen.js';
import { printable } from './screen.js';

export interface Progress {
  /** `part` from 0 to 1; `null`: not known. */
  readonly report: (what: string, part: number | null) => void;
  /** Takes the bar away, so that the answer stands alone. */
  readonly done: () => void;
}

const barWidth = 24;
const redrawMs = 100;
const logMs = 10_000;

export function progressOn({ err }: Host, nowMs: () => number): Progress {
  return err.isTTY === true ? bar(err, nowMs) : log(err, nowMs);
}

function bar(err: Host['err'], nowMs: () => number): Progress {
  let drawnMs = -Infinity;
  return {
    report: (what, part) => {
      const now = nowMs();
      if (now - drawnMs < redrawMs) return;
      drawnMs = now;
      const room = Math.max((err.columns ?? 80) - barWidth - 10, 10);
      err.write(`\r\u001b[K${drawn(part)} ${printable(what).replaceAll('\n', ' ').slice(0, room)}`);
    },
    done: () => {
      if (drawnMs > -Infinity) err.write('\r\u001b[K');
    },
  };
}

function drawn(part: number | null): string {
  if (part === null) return `[${'·'.repeat(barWidth)}]     `;
  const filled = Math.round(Math.min(Math.max(part, 0), 1) * barWidth);
  const percent = String(Math.floor(Math.min(Math.max(part, 0), 1) * 100)).padStart(3);
  return `[${'█'.repeat(filled)}${' '.repeat(barWidth - filled)}] ${percent}%`;
}

/** Short work says nothing in a log. */
function log(err: Host['err'], nowMs: () => number): Progress {
  let saidMs = nowMs();
  return {
    report: (what, part) => {
      const now = nowMs();
      if (now - saidMs < logMs) return;
      saidMs = now;
      err.write(`${part === null ? '' : `${Math.floor(part * 100)}% `}${printable(what)}\n`);
    },
    done: () => undefined,
  };
}
