/** A server's socket: one for all users, which decides by tokens; what a dead server left there is replaced. */
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { MicaError } from '#core/errors';

export interface Listener {
  readonly listen: (at: { readonly path: string }) => Promise<unknown>;
}

/** Its folder is made where it is not there: anybody may pass through, nobody else may put something into it. */
export async function listenOn(app: Listener, path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await removeStale(path);
    await app.listen({ path });
    await chmod(path, 0o666);
  } catch (cause) {
    if (cause instanceof MicaError) throw cause;
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new MicaError('unwritable-state', `${path} cannot be listened on: ${words}`, {
      cause,
      next: 'Name a socket with --socket in a folder that you may write to.',
    });
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) {
    throw new MicaError('bad-usage', `${path} is there, and is no socket`, {
      next: 'Name another path with --socket.',
    });
  }
  if ((await tryConnect(path)) === 'connected') {
    throw new MicaError('state-locked', `another program listens on ${path}`, {
      next: 'End it, or name another socket with --socket.',
    });
  }
  await rm(path, { force: true });
}

/** `absent`: nothing is there; `refused`: a socket without a server, as a killed one leaves it. */
export function tryConnect(path: string): Promise<'connected' | 'absent' | 'refused' | 'forbidden'> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('connected');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'EAGAIN') resolve(code === 'EAGAIN' ? 'connected' : 'refused');
      else resolve(code === 'EACCES' || code === 'EPERM' ? 'forbidden' : 'absent');
    });
  });
}
