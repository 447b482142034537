/** The real aws CLI and our adapter against the same endpoint: the same calls, and equal values for all that we set. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../tooling/clone.js';
import { requires } from '../tooling/requires.js';
import { run } from '../tooling/run.js';
import type { AskedAws } from './eks-server.js';
import { credentials, EksWorld } from './eks-world.js';

const aws = requires('aws');
const call = { signal: new AbortController().signal, say: () => undefined };

describe.skipIf(aws.missing)(aws.title('aws sends what we send'), { timeout: 120_000 }, () => {
  const world = new EksWorld();
  beforeAll(async () => {
    await world.open();
    world.api.looksPerChange = 1;
  });
  afterAll(() => world.close());

  async function byAws(command: readonly string[] | null | undefined): Promise<AskedAws> {
    const { PATH, HOME } = process.env;
    const config = `${temporaryFolder()}/none`;
    const env = { PATH, HOME, AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: config, ...credentials };
    const ran = await run('aws', ['--endpoint-url', world.url, ...(command ?? []).slice(1)], { env });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    return lastChange();
  }

  function lastChange(): AskedAws {
    return world.api.asked
      .filter(({ method, path }) => method !== 'GET' && !path.startsWith('Describe'))
      .at(-1)!;
  }

  it('for a group that boots cut: template and group', async () => {
    const wish = {
      name: 'new',
      like: 'gpu',
      cut: [['2g.48gb', '1g.24gb']],
      sharers: 1,
      nodes: 2,
      labels: { 'mica.dev/replaces': 'gpu' },
    };
    const draft = await world.pools.draft(wish);
    if (!draft.ok) throw new Error(draft.why.message);
    const [template, group] = draft.value.requests;
    const theirTemplate = await byAws(template?.command);
    const theirGroup = await byAws(group?.command);
    world.api.groups.delete('new');
    world.api.templates.clear();
    expect(await world.pools.create(draft.value, call)).toMatchObject({ ok: true });
    const ourTemplate = world.api.asked.filter(({ path }) => path === 'CreateLaunchTemplate').at(-1);
    expect(ourTemplate).toEqual(theirTemplate);
    expect(lastChange()).toEqual(theirGroup);
    expect(theirGroup.body).toEqual(group?.body);
  });

  it('for scaling and the end of a group', async () => {
    const closing = await world.pools.closing('gpu');
    if (!closing.ok) throw new Error(closing.why.message);
    const [held, deleted] = closing.value;
    const before = { ...world.api.groups.get('gpu').scalingConfig };
    const theirs = await byAws(held?.command);
    await world.pools.get('gpu');
    world.api.groups.get('gpu').scalingConfig = before;
    expect(await world.pools.holdScaling('gpu', call)).toEqual({ ok: true, value: null });
    // The token is each client's own.
    const { scalingConfig } = lastChange().body;
    expect([lastChange().method, lastChange().path]).toEqual([theirs.method, theirs.path]);
    expect(scalingConfig).toEqual(theirs.body.scalingConfig);

    const theirEnd = await byAws(deleted?.command);
    await world.pools.get('gpu');
    world.api.addGroup({ ...world.api.groups.get('new'), nodegroupName: 'gpu' });
    expect(await world.pools.remove('gpu', call)).toEqual({ ok: true, value: null });
    const ours = world.api.asked.filter(({ method }) => method === 'DELETE').at(-1);
    expect(ours).toEqual(theirEnd);
  });
});
