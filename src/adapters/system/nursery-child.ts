/**
 * The program of the nursery: starts processes, opens their gates and says how they ended. It is handed to another Node
 * as text, so that it is the same from the sources and from the package; nothing outside the function is there then.
 */
import type * as ChildProcesses from 'node:child_process';
import type * as Files from 'node:fs';
import type { Writable } from 'node:stream';

export type NurseryOrder =
  | {
      readonly kind: 'start';
      readonly id: number;
      readonly command: readonly string[];
      readonly env: Readonly<Record<string, string | undefined>>;
      readonly cwd: string | undefined;
      readonly path: string;
    }
  | { readonly kind: 'open'; readonly id: number; readonly text: string }
  | { readonly kind: 'discard'; readonly id: number };

export type NurseryNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waits'; readonly id: number; readonly pid: number }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | {
      readonly kind: 'ended';
      readonly id: number;
      readonly code: number | null;
      readonly signal: string | null;
    };

/** `node -e` with this. The loaders of a development setup name functions by a helper that the text does not have. */
export function nurseryText(): string {
  return `const __name = (value) => value;\n(${nurse.toString()})(require);`;
}

function nurse(load: NodeJS.Require): void {
  const { spawn } = load('node:child_process') as typeof ChildProcesses;
  const { closeSync, openSync } = load('node:fs') as typeof Files;
  const gates = new Map<number, Writable>();
  const say = (news: NurseryNews): void => void process.send?.(news);
  const start = (order: NurseryOrder & { readonly kind: 'start' }): void => {
    const { id, env, cwd, path } = order;
    const [program = '', ...args] = order.command;
    const file = openSync(path, 'a', 0o600);
    try {
      const child = spawn(program, args, {
        ...{ detached: true, env, stdio: ['ignore', file, file, 'pipe'] },
        ...(cwd === undefined ? {} : { cwd }),
      });
      child.once('error', ({ message }) => {
        if (child.pid === undefined) say({ kind: 'failed', id, message });
      });
      if (child.pid === undefined) return;
      const gate = child.stdio[3] as Writable;
      gate.on('error', () => undefined);
      gates.set(id, gate);
      child.once('exit', (code, signal) => {
        gates.delete(id);
        say({ kind: 'ended', id, code, signal });
      });
      say({ kind: 'waits', id, pid: child.pid });
    } finally {
      closeSync(file);
    }
  };
  process.on('message', (order: NurseryOrder) => {
    if (order.kind !== 'start') {
      const gate = gates.get(order.id);
      if (order.kind === 'open') gate?.end(order.text);
      else gate?.destroy();
      return;
    }
    try {
      start(order);
    } catch (error) {
      say({ kind: 'failed', id: order.id, message: error instanceof Error ? error.message : String(error) });
    }
  });
  // Whoever it works for is gone: what waits behind a gate goes with this process, what runs stays as it is.
  process.on('disconnect', () => process.exit());
  say({ kind: 'ready' });
}
