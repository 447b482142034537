/** The desk of a machine that a server hands out: its calls, sent to the server. */
import { MicaError } from '#core/errors';
import type {
  CleanAnswer,
  DeskAnswer,
  DeskView,
  EndAnswer,
  KeepAnswer,
  LeaseDesk,
  ReopenAnswer,
} from '#ports/lease-desk';
import type { Call, Connection } from './connection.js';

/** Programs are shown by `mica ps`, not kept: a long command line is cut. */
const mostWords = 64;
const mostLetters = 256;

export function deskAt({ call }: Connection): LeaseDesk {
  const ask = async <T>(request: Call): Promise<T> => {
    const answer = await call(request);
    if (typeof answer === 'object' && answer !== null) return answer as T;
    throw new MicaError('not-the-api', 'the server answers with something that no desk says');
  };
  const of = (lease: string): string => `/v1/leases/${encodeURIComponent(lease)}`;
  return {
    ask: ({ command, ...request }, signal) =>
      ask<DeskAnswer>({
        method: 'POST',
        path: '/v1/requests',
        body: { ...request, command: shortened(command) },
        ...(signal === undefined ? {} : { signal }),
      }),
    withdraw: async (request) => {
      // Who does not ask again has withdrawn as well, only later.
      const path = `/v1/requests/${encodeURIComponent(request)}`;
      await ask({ method: 'DELETE', path, patienceMs: 0 });
    },
    keep: (lease, groups) => ask<KeepAnswer>({ method: 'PUT', path: of(lease), body: { groups } }),
    clean: (lease) => ask<CleanAnswer>({ method: 'POST', path: `${of(lease)}/clean` }),
    quarantine: async (lease, slice, why) => {
      await ask({
        method: 'POST',
        path: `${of(lease)}/quarantine`,
        body: { slice, why: why.slice(0, 1000) },
      });
    },
    release: async (lease, peakMemoryMiB) => {
      await ask({ method: 'POST', path: `${of(lease)}/release`, body: { peakMemoryMiB } });
    },
    // A figure that is not there now is not worth waiting for.
    usedMiB: async (slice) => {
      const { usedMiB } = await ask<{ readonly usedMiB: number | null }>({
        method: 'POST',
        path: '/v1/memory',
        body: { slice },
        patienceMs: 0,
      });
      return usedMiB;
    },
    list: () => ask<DeskView>({ method: 'GET', path: '/v1/leases' }),
    end: (lease) => ask<EndAnswer>({ method: 'DELETE', path: of(lease) }),
    reopen: (slice, force) =>
      ask<ReopenAnswer>({ method: 'POST', path: '/v1/reopen', body: { slice, force } }),
  };
}

function shortened(command: readonly string[]): readonly string[] {
  return command
    .slice(0, mostWords)
    .map((word) => (word.length <= mostLetters ? word : `${word.slice(0, mostLetters)}…`));
}
