/** Where a server listens, what it leaves beside the store, and where callers find their token. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { stateFolder } from '#adapters/system/state-folder';
import { MicaError } from '#core/errors';
import type { Host } from '../../terminal/screen.js';

export interface SocketFlags {
  readonly socket?: string;
}

type Env = Host['env'];

const systemSocket = '/run/mica/mica.sock';
/** struct sockaddr_un has 108 bytes for the path and its end. */
const longestPathBytes = 107;

/** As named, or where a server of this user listens. */
export function ownSocket({ socket }: SocketFlags, env: Env, isRoot = process.getuid?.() === 0): string {
  const named = socket ?? filled(env['MICA_SOCKET']);
  if (named !== undefined) return checked(resolve(named));
  if (filled(env['MICA_STATE_DIR']) !== undefined) return checked(join(stateFolder(env), 'mica.sock'));
  if (isRoot) return systemSocket;
  const runtime = filled(env['XDG_RUNTIME_DIR']);
  return checked(join(runtime ?? stateFolder(env), 'mica.sock'));
}

/** Where a caller looks for a server that nobody named. */
export function usualSockets(env: Env): readonly string[] {
  const own = ownSocket({}, env);
  return own === systemSocket || filled(env['MICA_STATE_DIR']) !== undefined ? [own] : [own, systemSocket];
}

export function operatorKeyFile(env: Env): string {
  return join(stateFolder(env), 'operator.key');
}

/** Names the socket of the server that has the store in this folder open. */
export function serverFile(runFolder: string): string {
  return join(runFolder, 'server.json');
}

export function usualTokenFile(env: Env): string {
  const config = filled(env['XDG_CONFIG_HOME']);
  const folder = config?.startsWith('/') === true ? config : join(env['HOME'] ?? homedir(), '.config');
  return join(folder, 'mica', 'token');
}

function checked(path: string): string {
  if (Buffer.byteLength(path) <= longestPathBytes) return path;
  throw new MicaError(
    'bad-usage',
    `${path} is too long for a socket: ${longestPathBytes} bytes is the most`,
    {
      next: 'Name a shorter path with --socket.',
    },
  );
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
