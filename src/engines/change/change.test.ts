import { describe, expect, it } from 'vitest';
import { changeMachine, wanted } from '../../../test/support/change-machine.js';
import { changeGpus } from './change.js';

const quarters = ['1g.10gb:0', '1g.10gb:1', '2g.20gb:2', '3g.40gb:4'];

describe('a change', () => {
  it('switches MIG on, cuts large first, and leaves alone what is wanted and there', async () => {
    const it = await changeMachine('h100:2');
    const first = await changeGpus(it.ports, [wanted(0, ...quarters), wanted(1, '7g.80gb:0')]);
    expect(first).toMatchObject({ outcome: 'done', gpus: [{ index: 0, kept: [] }, { index: 1 }] });
    expect(await it.holds(0)).toBe('1g.10gb:0 1g.10gb:1 2g.20gb:2 3g.40gb:4');
    it.faults.calls.length = 0;
    const second = await changeGpus(it.ports, [wanted(0, '2g.20gb:0', '2g.20gb:2', '3g.40gb:4')]);
    expect(second).toMatchObject({
      outcome: 'done',
      gpus: [
        {
          kept: [{ start: 2 }, { start: 4 }],
          created: [{ profile: '2g.20gb', start: 0, size: 2 }],
          destroyed: [{ start: 0 }, { start: 1 }],
        },
      ],
    });
    const changing = it.faults.calls.filter(({ name }) => /create|destroy|set|reset/.test(name));
    expect(changing.map(({ name }) => name)).toEqual([
      'destroyComputeInstance',
      'destroyGpuInstance',
      'destroyComputeInstance',
      'destroyGpuInstance',
      'createGpuInstance',
      'createComputeInstance',
    ]);
    expect(await it.holds(0)).toBe('2g.20gb:0 2g.20gb:2 3g.40gb:4');
  });

  it('that is there already changes nothing, and needs no journal the second time', async () => {
    const it = await changeMachine('rtx-pro-6000');
    await changeGpus(it.ports, [wanted(0, '2g.48gb:0')]);
    it.faults.calls.length = 0;
    const again = await changeGpus(it.ports, [wanted(0, '2g.48gb:0')]);
    expect(again).toMatchObject({ outcome: 'unchanged', change: null, gpus: [{ kept: [{ start: 0 }] }] });
    expect(it.faults.calls.filter(({ name }) => /create|destroy|set|reset/.test(name))).toEqual([]);
    expect(await changeGpus(it.ports, [wanted(it.uuids[0] ?? '', '2g.48gb:0')])).toMatchObject({
      change: null,
    });
  });

  it('resets an Ampere card to switch MIG, both ways', async () => {
    const it = await changeMachine('a100-40gb');
    expect(await changeGpus(it.ports, [wanted(0, '3g.20gb:4')])).toMatchObject({ outcome: 'done' });
    expect(await it.holds(0)).toBe('3g.20gb:4');
    expect(await changeGpus(it.ports, [wanted(0, null)])).toMatchObject({
      outcome: 'done',
      gpus: [{ destroyed: [{ start: 4 }] }],
    });
    expect(await it.holds(0)).toBe('mig off');
  });

  it.each([
    ['unknown-gpu', [wanted(7, '1g.10gb:0')]],
    ['named-twice', [wanted(0, '1g.10gb:0'), wanted(0, '1g.10gb:1')]],
    ['unknown-profile', [wanted(0, '1g.24gb:0')]],
    ['no-room', [wanted(0, '3g.40gb:2')]],
    ['no-room', [wanted(0, '3g.40gb:0', '1g.10gb:3')]],
    ['max-count', [wanted(0, '1g.10gb+me:0', '1g.10gb+me:1')]],
    ['no-mig', [wanted(2, '1g.10gb:0')]],
  ])('refuses with %s before anything is touched', async (kind, wishes) => {
    const it = await changeMachine('h100:2,l4');
    const answer = await changeGpus(it.ports, [wanted(1, '7g.80gb:0'), ...wishes]);
    expect(answer.outcome).toBe('refused');
    expect(answer.gpus.at(-1)).toMatchObject({ outcome: 'refused', why: { kind } });
    expect(answer.gpus[0]).toMatchObject({ outcome: 'refused', why: { kind: 'other-gpu' } });
    expect(it.faults.calls.filter(({ name }) => /create|destroy|set|reset/.test(name))).toEqual([]);
    expect(await it.journal.names()).toEqual([]);
  });

  it('goes on with the other GPUs where it is told to', async () => {
    const it = await changeMachine('h100:2');
    const answer = await changeGpus(it.ports, [wanted(0, '3g.40gb:2'), wanted(1, '3g.40gb:4')], {
      keepGoing: true,
    });
    expect(answer).toMatchObject({ outcome: 'refused', gpus: [{ outcome: 'refused' }, { outcome: 'done' }] });
    expect(await it.holds(1)).toBe('3g.40gb:4');
  });

  it('does not switch the mode where it may not', async () => {
    const it = await changeMachine('h100');
    const answer = await changeGpus(it.ports, [wanted(0, '1g.10gb:0')], { allowModeChange: false });
    expect(answer).toMatchObject({ outcome: 'refused', gpus: [{ why: { kind: 'mode' } }] });
  });

  it('leaves a card without MIG whole', async () => {
    const it = await changeMachine('l4');
    expect(await changeGpus(it.ports, [wanted(0, null)])).toMatchObject({ outcome: 'unchanged' });
  });

  it('rehearses without touching anything', async () => {
    const it = await changeMachine('h100');
    await changeGpus(it.ports, [wanted(0, ...quarters)]);
    await it.use(0, 0, 4211);
    const answer = await changeGpus(it.ports, [wanted(0, '3g.40gb:4')], {
      dryRun: true,
      drain: { graceMs: 1000, then: 'kill' },
    });
    expect(answer).toMatchObject({ outcome: 'done', change: null, gpus: [{ kept: [{ start: 4 }] }] });
    expect(answer.gpus[0]?.steps).toHaveLength(6);
    expect(answer.gpus[0]?.drains).toMatchObject([{ pid: 4211 }]);
    expect(await it.holds(0)).toBe(quarters.join(' '));
    const refused = await changeGpus(it.ports, [wanted(0, '3g.40gb:4')], { dryRun: true });
    expect(refused).toMatchObject({ outcome: 'refused', gpus: [{ why: { kind: 'busy' } }] });
  });

  it('says that a reboot is needed where the card cannot be reset, and puts the others back', async () => {
    const it = await changeMachine('h100,a100-40gb');
    it.faults.failOn('reset', 1, 'not-supported');
    const answer = await changeGpus(it.ports, [wanted(0, '7g.80gb:0'), wanted(1, '7g.40gb:0')]);
    expect(answer).toMatchObject({
      outcome: 'needs-reboot',
      gpus: [{ outcome: 'rolled-back', why: { kind: 'other-gpu' } }, { outcome: 'needs-reboot' }],
    });
    expect(answer.gpus[1]?.next).toContain('mica node restore');
    expect([await it.holds(0), await it.holds(1)]).toEqual(['mig off', 'mig off, pending on']);
  });
});

describe('instances that Mica did not make', () => {
  it('stay unless they are named', async () => {
    const it = await changeMachine('h100');
    await it.cut(0, '1g.10gb:0', '1g.10gb:3');
    const wish = [wanted(0, '1g.10gb:3', '3g.40gb:4')];
    const refused = await changeGpus(it.ports, wish);
    expect(refused).toMatchObject({ outcome: 'refused', gpus: [{ why: { kind: 'foreign' } }] });
    expect(refused.gpus[0]?.why?.message).toBe(
      '1g.10gb:0 was not made by Mica and would have to go; name it to allow that, or keep it in the layout',
    );
    const wrong = await changeGpus(it.ports, wish, {
      mayDestroyForeign: [{ gpu: 0, profile: '1g.10gb', start: 3 }],
    });
    expect(wrong.outcome).toBe('refused');
    const named = [{ gpu: 0, profile: '1g.10gb', start: 0 }];
    expect(await changeGpus(it.ports, wish, { mayDestroyForeign: named })).toMatchObject({ outcome: 'done' });
    expect(await it.holds(0)).toBe('1g.10gb:3 3g.40gb:4');
  });

  it('are adopted by a layout that names them', async () => {
    const it = await changeMachine('h100');
    await it.cut(0, '1g.10gb:0');
    expect(await changeGpus(it.ports, [wanted(0, '1g.10gb:0')])).toMatchObject({ outcome: 'unchanged' });
    expect(await changeGpus(it.ports, [wanted(0, '7g.80gb:0')])).toMatchObject({ outcome: 'done' });
  });

  it('are told from ours in the same place by their id', async () => {
    const it = await changeMachine('h100');
    await changeGpus(it.ports, [wanted(0, '1g.10gb:1', '1g.10gb:0')]);
    // Another tool clears the card and cuts it again, in another order.
    await it.machine.reboot();
    await it.cut(0, '1g.10gb:1', '1g.10gb:0');
    expect(await changeGpus(it.ports, [wanted(0, '7g.80gb:0')])).toMatchObject({
      outcome: 'refused',
      gpus: [{ why: { kind: 'foreign' } }],
    });
  });

  it('get their compute instance where a layout names them', async () => {
    const it = await changeMachine('h100');
    await it.cut(0);
    await it.driver.createGpuInstance(it.uuids[0] ?? '', 9, 4);
    expect(await it.holds(0)).toBe('3g.40gb:4?');
    expect(await changeGpus(it.ports, [wanted(0, '3g.40gb:4')])).toMatchObject({
      outcome: 'done',
      gpus: [{ kept: [{}] }],
    });
    expect(await it.holds(0)).toBe('3g.40gb:4');
  });
});

describe('two changes', () => {
  it('of one GPU at the same time: one is refused with the pid of the other', async () => {
    const it = await changeMachine('h100:2');
    const both = await Promise.all([
      changeGpus(it.ports, [wanted(0, '3g.40gb:0'), wanted(1, '3g.40gb:0')]),
      changeGpus(it.ports, [wanted(1, '3g.40gb:4')]),
    ]);
    const refused = both.filter(({ outcome }) => outcome === 'refused');
    expect(refused).toHaveLength(1);
    expect(both.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
    expect(refused[0]?.gpus.map(({ why }) => why)).toContainEqual({
      kind: 'locked',
      pid: 100,
      message: 'pid 100 is changing this GPU; try again when it is through',
    });
  });

  it('of two GPUs at the same time do not disturb each other', async () => {
    const it = await changeMachine('h100:2');
    const both = await Promise.all([
      changeGpus(it.ports, [wanted(0, '3g.40gb:0')]),
      changeGpus(it.ports, [wanted(1, '3g.40gb:4')]),
    ]);
    expect(both.map(({ outcome }) => outcome)).toEqual(['done', 'done']);
    expect(new Set(both.map(({ change }) => change)).size).toBe(2);
  });
});
