/** Where a controller answers over HTTP. */
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { MicaError } from '#core/errors';

export interface Place {
  readonly host: string;
  readonly port: number;
}

interface Listener {
  readonly listen: (at: Place) => Promise<unknown>;
  readonly server: Server;
}

/** `null`: nowhere. An IPv6 address stands in brackets, and port 0 is any that is free. */
export function placeFrom(text: string): Place | null {
  if (text === 'none') return null;
  const [, bracketed, plain, digits = ''] =
    /^(?:\[([\da-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new MicaError('bad-usage', `--listen takes HOST:PORT or none, got '${text}'`, {
    next: 'Name an address and a port, as in 127.0.0.1:9808, 0.0.0.0:9808 or [::1]:9808.',
  });
}

/** The address that it got. */
export async function listenAt(app: Listener, place: Place): Promise<string> {
  const shown = (port: number): string =>
    place.host.includes(':') ? `[${place.host}]:${port}` : `${place.host}:${port}`;
  try {
    await app.listen(place);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new MicaError('cannot-listen', `${shown(place.port)} cannot be listened on (${code ?? message})`, {
      cause,
    });
  }
  return `http://${shown((app.server.address() as AddressInfo).port)}`;
}
