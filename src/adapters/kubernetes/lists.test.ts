import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.js';
import type { Connection } from './connection.js';
import { listAll } from './lists.js';

/** Answers each request with the next of the bodies, and at last with the last one again. */
function answering(...bodies: readonly (number | object)[]): Connection {
  let next = 0;
  const send: Connection['send'] = () => {
    const body = bodies[Math.min(next++, bodies.length - 1)] ?? {};
    const status = typeof body === 'number' ? body : 200;
    return Promise.resolve({ status, retryAfterMs: null, body: JSON.stringify(body) });
  };
  return {
    shown: 'http://odd',
    send,
    stream: () => Promise.reject(new Error('not asked')),
    close: async () => {},
  };
}

async function listed(connection: Connection) {
  let found: unknown[] = [];
  const into = { restart: () => void (found = []), take: (raw: unknown) => void found.push(raw) };
  const options = { connection, clock: new VirtualClock(), pageSize: 2, may: '' };
  const answer = await listAll('/api/v1/pods', options, into, new AbortController().signal);
  return { answer, found };
}

const page = (items: unknown, next?: string) => ({
  metadata: { resourceVersion: '7', ...(next === undefined ? {} : { continue: next }) },
  items,
});

describe('lists', () => {
  it('page by page; from the start where the server forgot them', async () => {
    const { answer, found } = await listed(
      answering(page(['old'], 'a'), 410, page(['x'], 'b'), page(null, 'c'), page(['y'])),
    );
    expect(answer).toEqual({ kind: 'listed', resourceVersion: '7' });
    expect(found).toEqual(['x', 'y']);
  });

  it('a server that never comes to an end is none', async () => {
    await expect(listed(answering(page(['x'], 'a')))).rejects.toThrow('again and again');
  });

  it.each([['x'], [{}], [{ metadata: {}, items: 'x' }]])('%j is no list', async (body) => {
    await expect(listed(answering(body as unknown as object))).rejects.toMatchObject({ code: 'not-the-api' });
  });
});
