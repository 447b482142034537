/** Of DRA that may not be read: told where the server has it, and nothing where it has not. */
import { expect, it } from 'vitest';
import { MicaError } from '#core/errors';
import type { Connection } from './connection.js';
import { lookAtDra } from './look-at-dra.js';

const refused = (): Promise<boolean> => Promise.reject(new MicaError('access-refused', 'no'));
const there = (): Promise<boolean> => Promise.resolve(true);
const { signal } = new AbortController();

/** A server that answers so when it is asked for the group itself. */
async function look(status: number, kinds: Parameters<typeof lookAtDra>[0]) {
  const notes: string[] = [];
  const paths: string[] = [];
  const connection: Connection = {
    shown: 'https://here',
    send: ({ path }) => {
      paths.push(path);
      return Promise.resolve({ status, body: '{}', retryAfterMs: null });
    },
    stream: () => Promise.reject(new Error('nothing is watched')),
    close: () => Promise.resolve(),
  };
  const isThere = await lookAtDra(kinds, { connection, onNote: (note) => notes.push(note) }, signal);
  return { isThere, notes, paths };
}

it('slices or claims that are not for us are named', async () => {
  const noSlices = await look(200, { slices: refused, claims: there });
  expect(noSlices).toMatchObject({ isThere: false, notes: [expect.stringMatching(/resourceslices/)] });
  const noClaims = await look(200, { slices: there, claims: refused });
  expect(noClaims).toMatchObject({ isThere: false, notes: [expect.stringMatching(/resourceclaims/)] });
});

it('a server without DRA refuses too, and nothing is missing', async () => {
  const none = { isThere: false, notes: [], paths: ['/apis/resource.k8s.io'] };
  expect(await look(404, { slices: refused, claims: refused })).toEqual(none);
});

it('what may be read is not asked about', async () => {
  expect(await look(404, { slices: there, claims: there })).toEqual({ isThere: true, notes: [], paths: [] });
});
