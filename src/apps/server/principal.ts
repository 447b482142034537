/** Who calls, and from which process: looked up anew for each request, so that a revoked token ends at once. */
import type { FastifyRequest } from 'fastify';
import { MicaError } from '#core/errors';
import type { Caller } from '#engines/run/desk/caller';
import { authenticate } from '#engines/tenancy/authenticate';
import type { TenancyPorts } from '#engines/tenancy/ports';
import type { Peer, Peers } from '#ports/peers';

export interface Principal extends Caller {
  readonly peer: Peer;
}

export interface IdentityPorts extends TenancyPorts {
  readonly peers: Peers;
  /** SHA-256 of the key of whoever runs the machine. */
  readonly operatorDigest: string;
}

/** Throws MicaError `access-refused`: it says the same of every token that lets nobody in. */
export async function principalOf(ports: IdentityPorts, request: FastifyRequest): Promise<Principal> {
  const token = /^Bearer ([A-Za-z0-9_-]{1,200})$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw refused('no token was shown');
  const tenant = await tenantOf(ports, token);
  const peer = ports.peers.of(request.raw.socket);
  if (peer === null) throw refused('the calling process cannot be seen from the server');
  return { peer, holder: peer.mark, tenant, whyForeign: (group) => ports.peers.whyForeign(peer, group) };
}

async function tenantOf(ports: IdentityPorts, token: string): Promise<string | null> {
  if (ports.secrets.isSame(ports.operatorDigest, ports.secrets.digest(token))) return null;
  const answer = await authenticate(ports, token);
  if (answer.ok) return answer.caller.tenant;
  throw refused(answer.why.message);
}

function refused(message: string): MicaError {
  return new MicaError('access-refused', message, {
    next: 'Give a token of this machine with MICA_TOKEN or --token-file; `mica tenant token` makes one.',
  });
}
