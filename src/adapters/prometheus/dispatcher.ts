/** Which way requests go: straight, or through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY tell of. */
import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { tlsOptions, type PrometheusTls } from './endpoint.js';

export interface WayOptions {
  readonly tls: PrometheusTls;
  readonly connections: number;
  readonly timeoutMs: number;
}

export function dispatcherTo(
  origin: string,
  { tls, connections, timeoutMs }: WayOptions,
): { readonly dispatcher: Dispatcher; readonly isProxied: boolean } {
  const ofTls = tlsOptions(tls);
  const limits = { connections, headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
  const connect = { timeout: Math.min(timeoutMs, 10_000), ...ofTls };
  // What is forwarded from a cluster to this machine is not behind anybody's proxy, whatever NO_PROXY says.
  return isThisMachine(new URL(origin).hostname) || !isProxySet(origin)
    ? { dispatcher: new Agent({ ...limits, connect }), isProxied: false }
    : { dispatcher: new EnvHttpProxyAgent({ ...limits, connect, requestTls: ofTls }), isProxied: true };
}

function isThisMachine(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$|\.localhost$/i.test(hostname);
}

function isProxySet(origin: string): boolean {
  const names = ['http_proxy', ...(origin.startsWith('https:') ? ['https_proxy'] : [])];
  return names.some((name) => (process.env[name] ?? process.env[name.toUpperCase()] ?? '') !== '');
}
