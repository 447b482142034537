/** DRA's objects, where the server has them; where they are not for us, that is told: their nodes are missing then. */
import { MicaError } from '#core/errors';
import { ask } from './answers.js';
import type { Connection } from './connection.js';
import { draVersions } from './read-dra.js';

interface DraLook {
  readonly connection: Connection;
  readonly onNote: (note: string) => void;
}

/** Each begins to read one kind at a version; `false`: the server has no such version. */
interface DraKinds {
  readonly slices: (version: string) => Promise<boolean>;
  readonly claims: (version: string) => Promise<boolean>;
}

/** `false`: DRA is not there, or not for us. */
export async function lookAtDra(
  { slices, claims }: DraKinds,
  options: DraLook,
  signal: AbortSignal,
): Promise<boolean> {
  for (const version of draVersions) {
    // Rights are of a group, whatever its versions: the first refusal is the answer.
    const there = await orRefused(() => slices(version));
    if (there === 'refused') return leaveOut('resourceslices', options, signal);
    if (there === 'absent') continue;
    const claimed = await orRefused(() => claims(version));
    return claimed === 'refused' ? leaveOut('resourceclaims', options, signal) : claimed === 'there';
  }
  return false;
}

async function orRefused(begin: () => Promise<boolean>): Promise<'there' | 'absent' | 'refused'> {
  try {
    return (await begin()) ? 'there' : 'absent';
  } catch (error) {
    if (error instanceof MicaError && error.code === 'access-refused') return 'refused';
    throw error;
  }
}

async function leaveOut(
  resource: string,
  { connection, onNote }: DraLook,
  signal: AbortSignal,
): Promise<false> {
  // A server refuses before it looks whether there is such a thing: without DRA nothing is left out.
  const request = { path: '/apis/resource.k8s.io', signal };
  const group = await ask(connection, 'reading the versions of resource.k8s.io', request, () => null);
  if (group.ok) {
    onNote(
      `GPUs under DRA are left out: may not list ${resource} of resource.k8s.io; ` +
        'deploy/kubernetes/reader has the right',
    );
  }
  return false;
}
