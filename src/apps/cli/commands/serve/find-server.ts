/** The server that hands out the slices of this machine, if one does, and the token to show it. */
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Connection } from '#adapters/desk/connection';
import { MicaError } from '#core/errors';
import type { Host } from '../../terminal/screen.js';
import { runFolderOf, type DriverFlags } from '../node/open-node.js';
import { tryConnect } from './listen.js';
import { readOperatorKey } from './operator-key.js';
import {
  operatorKeyFile,
  ownSocket,
  serverFile,
  usualSockets,
  usualTokenFile,
  type SocketFlags,
} from './places.js';

export interface DeskFlags extends DriverFlags, SocketFlags {
  readonly tokenFile?: string;
}

/** How long a server that was killed may take to be there again. */
const comebackMs = 5_000;
const lookEveryMs = 100;

/** `null`: this process may open the store of the machine itself. */
export async function findServer(host: Host, flags: DeskFlags): Promise<string | null> {
  const { env } = host;
  const named = flags.socket ?? env['MICA_SOCKET'] ?? '';
  if (named !== '') return present(ownSocket(flags, env));
  const beside = await besideStore(runFolderOf(host, flags));
  if (beside !== null && (await tryConnect(beside)) === 'connected') return beside;
  if (hasDriver(flags)) return null;
  for (const socket of usualSockets(env)) {
    const found = await tryConnect(socket);
    if (found === 'connected') return socket;
    if (found === 'forbidden') throw forbidden(socket);
    // Somebody else's server was killed: its slices are still its to hand out.
    if (found === 'refused' && !(await isOwn(socket))) return present(socket);
  }
  // Who has a token is a tenant, and never takes a slice past the server.
  if ((await ownToken(flags, env)) === null) return null;
  return present(usualSockets(env).at(-1) ?? ownSocket(flags, env));
}

/** Opens a connection for the length of the work. */
export async function withConnection<T>(
  host: Host,
  flags: DeskFlags,
  socket: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const token = await tokenFor(host, flags, socket);
  const [{ connectTo }, { systemClock: clock }] = await Promise.all([
    import('#adapters/desk/connection'),
    import('#adapters/system/clock'),
  ]);
  const connection = connectTo({ socket, token, clock, patienceMs: 30_000 });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

async function tokenFor({ env }: Host, flags: DeskFlags, socket: string): Promise<string> {
  const said = await saidToken(flags, env);
  // The key is of this user's own server.
  const key = said === null && (await isOwn(socket)) ? await readOperatorKey(operatorKeyFile(env)) : null;
  const token = said ?? key ?? (await ownToken(flags, env));
  if (token !== null) return token;
  throw new MicaError('access-refused', 'this machine is shared, and you have shown no token', {
    next: 'Ask whoever runs it for one; put it into $MICA_TOKEN, or into a file named with --token-file.',
  });
}

async function isOwn(socket: string): Promise<boolean> {
  return (await stat(socket).catch(() => null))?.uid === process.getuid?.();
}

async function ownToken(flags: DeskFlags, env: Host['env']): Promise<string | null> {
  return (await saidToken(flags, env)) ?? (await tokenIn(usualTokenFile(env)));
}

async function saidToken({ tokenFile }: DeskFlags, env: Host['env']): Promise<string | null> {
  if (tokenFile === undefined) {
    const said = (env['MICA_TOKEN'] ?? '').trim();
    return said === '' ? null : said;
  }
  const token = await tokenIn(tokenFile);
  if (token !== null) return token;
  throw new MicaError('unreadable-file', `${tokenFile} cannot be read, or is empty`);
}

/** `null`: there is none. */
async function tokenIn(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim() === '' ? null : text.trim();
}

async function present(socket: string): Promise<string> {
  const deadlineMs = Date.now() + comebackMs;
  for (;;) {
    const found = await tryConnect(socket);
    if (found === 'connected') return socket;
    if (found === 'forbidden') throw forbidden(socket);
    if (Date.now() >= deadlineMs) {
      throw new MicaError('server-unreachable', `no server answers on ${socket}`, {
        next: 'Start `mica serve`, or ask whoever runs the machine to; --socket names another socket.',
      });
    }
    await wait(lookEveryMs);
  }
}

function forbidden(socket: string): MicaError {
  return new MicaError('access-refused', `${socket} may not be opened by this user`, {
    next: 'Ask whoever runs the machine to let you pass through its folder.',
  });
}

function hasDriver({ driver, gpus, state, nvmlLib, latency }: DeskFlags): boolean {
  return [driver, gpus, state, nvmlLib, latency].some((flag) => flag !== undefined);
}

async function besideStore(runFolder: string): Promise<string | null> {
  try {
    const { socket } = JSON.parse(await readFile(serverFile(runFolder), 'utf8')) as {
      readonly socket?: unknown;
    };
    return typeof socket === 'string' ? socket : null;
  } catch {
    return null;
  }
}
