/** What the API server in memory has beyond a real one: it fails as a test asks it to. */
import { expect, it, onTestFinished } from 'vitest';
import type { Json } from './api-server/json.js';
import { startApiServer, type ApiServer } from './api-server/server.js';
import { raw, type RawAnswer } from './raw.js';

const pods = '/api/v1/namespaces/default/pods';
const maps = '/api/v1/namespaces/default/configmaps';

it('answers, cuts before or after the work, and ends watches', async () => {
  const server = await startApiServer();
  onTestFinished(() => server.close());
  const ask = (method: string, path: string, body?: Json): Promise<RawAnswer> =>
    raw(server, server.admin.token, method, path, body);
  const map = (name: string): Json => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  server.seed([map('there')]);
  const during = async (plan: Parameters<ApiServer['fault']>[0], act: () => Promise<void>): Promise<void> => {
    const stop = server.fault(plan);
    await act().finally(stop);
  };
  await during(
    () => ({ kind: 'answer', code: 429, retryAfterSeconds: 3 }),
    async () => {
      expect((await ask('GET', pods)).headers['retry-after']).toBe('3');
    },
  );
  await during(
    () => ({ kind: 'cut', when: 'before' }),
    () => expect(ask('POST', maps, map('cut-before'))).rejects.toThrow(),
  );
  await during(
    () => ({ kind: 'cut', when: 'after' }),
    () => expect(ask('POST', maps, map('cut-after'))).rejects.toThrow(),
  );
  expect(server.get('configmaps', 'cut-before', 'default')).toBeUndefined();
  expect(server.get('configmaps', 'cut-after', 'default')).toBeDefined();
  await during(
    () => ({ kind: 'watch-gone', afterEvents: 1 }),
    async () => {
      const { body } = await ask('GET', `${maps}?watch=true`);
      expect(body.map((event: Json) => event.type)).toEqual(['ADDED', 'ERROR']);
    },
  );
});
