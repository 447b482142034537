/** Who a request is from: a bearer token, a client certificate, or nobody. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { User } from './rbac.js';
import { ApiError, unauthorized } from './status.js';

export class Users {
  private readonly byToken = new Map<string, User>();

  add(name: string, groups: readonly string[]): { readonly user: User; readonly token: string } {
    const token = randomBytes(24).toString('base64url');
    const user = { name, groups: [...groups, ...serviceAccountGroups(name), 'system:authenticated'] };
    this.byToken.set(token, user);
    return { user, token };
  }

  of(request: IncomingMessage): User {
    const user = this.asSent(request);
    const as = request.headers['impersonate-user'];
    if (as === undefined || Array.isArray(as)) return user;
    if (!user.groups.includes('system:masters')) {
      throw new ApiError(
        403,
        'Forbidden',
        `users "${as}" is forbidden: User "${user.name}" cannot impersonate resource "users" in API group "" at the cluster scope`,
        { name: as, kind: 'users' },
      );
    }
    const groups = request.headersDistinct['impersonate-group'] ?? [];
    return { name: as, groups: [...groups, ...serviceAccountGroups(as), 'system:authenticated'] };
  }

  private asSent(request: IncomingMessage): User {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const user = this.byToken.get(authorization.replace(/^Bearer\s+/i, ''));
      if (user === undefined) throw unauthorized();
      return user;
    }
    const { socket } = request;
    if (!(socket instanceof TLSSocket)) throw unauthorized();
    const { subject } = socket.getPeerCertificate() as {
      readonly subject?: { readonly CN?: string; readonly O?: string | readonly string[] };
    };
    if (subject?.CN === undefined) return { name: 'system:anonymous', groups: ['system:unauthenticated'] };
    if (!socket.authorized) throw unauthorized();
    return { name: subject.CN, groups: [...[subject.O ?? []].flat(), 'system:authenticated'] };
  }
}

function serviceAccountGroups(name: string): readonly string[] {
  const found = /^system:serviceaccount:([^:]+):[^:]+$/.exec(name);
  return found === null ? [] : ['system:serviceaccounts', `system:serviceaccounts:${found[1] ?? ''}`];
}
