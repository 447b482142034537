/** On whose behalf a user acts, as headers. The server decides whether it may. */
import type { UserFields } from './kubeconfig-shape.js';

export function impersonation(user: UserFields): Readonly<Record<string, string | string[]>> {
  if (user.as === '') return {};
  return {
    'impersonate-user': user.as,
    ...(user['as-uid'] === '' ? {} : { 'impersonate-uid': user['as-uid'] }),
    ...(user['as-groups'].length === 0 ? {} : { 'impersonate-group': user['as-groups'] }),
    ...Object.fromEntries(
      Object.entries(user['as-user-extra'])
        .filter(([, values]) => values.length > 0)
        .map(([key, values]) => [`impersonate-extra-${escaped(key)}`, values]),
    ),
  };
}

/** Bytes that no header's name may have, and `%` itself, as the server takes them apart. */
function escaped(key: string): string {
  return Buffer.from(key, 'utf8')
    .toString('latin1')
    .replace(
      /[^\w!#$&'*+.^`|~-]/g,
      (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}
