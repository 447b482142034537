/** What kubectl refuses in the cluster and user of a context, since two things are said where one can hold. */
import type { ClusterFields, UserFields } from './kubeconfig-shape.js';

/** `null`: nothing. Otherwise what stands there, by the names of its fields. */
export function conflictIn(cluster: ClusterFields, user: UserFields | null): string | null {
  const all = [...conflictsOfCluster(cluster), ...(user === null ? [] : conflictsOfUser(user))];
  return all.find(([stands]) => stands)?.[1] ?? null;
}

type Conflict = readonly [stands: boolean, inWords: string];

function conflictsOfCluster(cluster: ClusterFields): readonly Conflict[] {
  const file = cluster['certificate-authority'] !== '';
  const data = cluster['certificate-authority-data'] !== '';
  return [
    both('certificate-authority', file, 'certificate-authority-data', data),
    both(
      'a certificate-authority',
      file || data,
      'insecure-skip-tls-verify',
      cluster['insecure-skip-tls-verify'],
    ),
  ];
}

function conflictsOfUser(user: UserFields): readonly Conflict[] {
  const { token, tokenFile, username, exec, as } = user;
  const certificate = user['client-certificate'] !== '';
  const certificateData = user['client-certificate-data'] !== '';
  const key = user['client-key'] !== '';
  const keyData = user['client-key-data'] !== '';
  const forAs =
    user['as-uid'] !== '' || user['as-groups'].length > 0 || Object.keys(user['as-user-extra']).length > 0;
  return [
    both('a token', token !== '' || tokenFile !== '', 'a username', username !== ''),
    both('exec', exec != null, 'an auth-provider', user['auth-provider'] != null),
    both('client-certificate', certificate, 'client-certificate-data', certificateData),
    both('client-key', key && (certificate || certificateData), 'client-key-data', keyData),
    [(certificate || certificateData) && !key && !keyData, 'a client-certificate and no client-key'],
    [forAs && as === '', 'an as-uid, as-groups or as-user-extra and no as'],
    [exec != null && exec.command === '', 'an exec without a command'],
  ];
}

function both(one: string, isOne: boolean, other: string, isOther: boolean): Conflict {
  return [isOne && isOther, `both ${one} and ${other}`];
}
