/** Which proxy stands before a server: as the kubeconfig says, or HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
import { BlockList, isIP } from 'node:net';

type Env = Readonly<Record<string, string | undefined>>;

/** `null`: none. What the kubeconfig says wins, as with kubectl. */
export function proxyFor(server: string, ofCluster: string | undefined, env: Env): string | null {
  if (ofCluster !== undefined && ofCluster !== '') return ofCluster;
  const { protocol, hostname, port } = new URL(server);
  const isHttps = protocol === 'https:';
  const said = isHttps ? valueOf(env, 'HTTPS_PROXY') : valueOf(env, 'HTTP_PROXY');
  if (said === '' || isLocal(hostname)) return null;
  const skipped = valueOf(env, 'NO_PROXY')
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '');
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (skipped.some((entry) => covers(entry, host, port === '' ? (isHttps ? '443' : '80') : port)))
    return null;
  return /^\w+:\/\//.test(said) ? said : `http://${said}`;
}

function valueOf(env: Env, name: string): string {
  return env[name] ?? env[name.toLowerCase()] ?? '';
}

/** Go's clients, kubectl among them, never ask a proxy for their own machine. */
function isLocal(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

/** `*`, `example.com` with what is below it, `.example.com`, `10.0.0.0/8`, each perhaps with `:port`. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const network = /^(.+)\/(\d+)$/.exec(entry);
  if (network !== null) {
    const [, address = '', bits = ''] = network;
    const family = isIP(address);
    if (family === 0 || isIP(host) !== family || Number(bits) > (family === 4 ? 32 : 128)) return false;
    const list = new BlockList();
    const kind = family === 4 ? 'ipv4' : 'ipv6';
    list.addSubnet(address, Number(bits), kind);
    return list.check(host, kind);
  }
  const [, name = entry, onlyPort] = /^([^:]+):(\d+)$/.exec(entry) ?? [];
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const plain = name.replace(/^\*?\./, '');
  return host === plain ? !name.startsWith('.') || name === plain : host.endsWith(`.${plain}`);
}
