/** The double answers as real machines did: the recorded calls, their codes, GI ids and places. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { openNvml } from '#adapters/nvml/driver';
import type { GpuDriver } from '#ports/gpu-driver';
import { requires } from '../tooling/requires.js';
import { makeMachine, type DoubleMachine } from './machine.js';
import { openRaw, type RawCalls, type RawInstance } from './raw-calls.js';
import { transcripts } from './transcripts.js';

const cc = requires('cc');

describe.skipIf(cc.missing)(cc.title('recorded machines'), () => {
  it.for(transcripts.map((one) => [one.name, one] as const))('%s', async ([, { key, steps }]) => {
    const machine = makeMachine([{ key }]);
    machine.setMode(0, true);
    const raw = openRaw(machine.libraryPath);
    const driver = await openNvml({ libraryPath: machine.libraryPath, smiPath: machine.smiPath });
    onTestFinished(async () => {
      await driver.close();
      raw.end();
      machine.remove();
    });
    const replayed: string[] = [];
    for (const step of steps) replayed.push(await replay(step, machine, raw, driver));
    expect(replayed).toEqual(steps);
  });
});

/** The step with the result that it had here. */
async function replay(
  step: string,
  machine: DoubleMachine,
  raw: RawCalls,
  driver: GpuDriver,
): Promise<string> {
  const [asked = '', recorded = ''] = step.split(' -> ');
  const [first = 0, second = 0] = [...asked.matchAll(/\d+/g)].map(Number);
  const with_ = (result: string | number) => `${asked} -> ${result}`;
  switch (asked.replaceAll(/[[\]]|\d+/g, '').trim()) {
    case 'create': {
      const made = raw.create(first);
      if (step.startsWith('[')) return made.code === 0 ? step : with_(made.code);
      return with_(made.code === 0 ? asRecorded(recorded, 'gi', made) : made.code);
    }
    case 'place :':
      return with_(asRecorded(recorded, 'gi', raw.create(first, second)));
    case 'compute gi':
      return with_(asRecorded(recorded, 'ci', raw.compute(first)));
    case 'remove gi  ci':
      return with_(raw.removeCompute(first, second));
    case 'destroy gi':
      return with_(raw.destroy(first));
    case 'list':
      return with_((await listed(machine, driver)).join(', '));
    case 'client':
      machine.setClients([{ pid: 4711, gpu: 0, instanceId: null, memoryMiB: 100 }]);
      return step;
    case 'no client':
      machine.setClients([]);
      return step;
    case 'clear':
      for (const { id } of await instancesOf(machine, driver)) raw.destroy(id);
      return step;
    default:
      throw new Error(`no such step: ${step}`);
  }
}

/** What was made, as far as the recording shows it. */
function asRecorded(recorded: string, word: 'gi' | 'ci', made: RawInstance): string {
  const facts = [`${word} ${made.id}`, `profile ${made.profileId}`, `at ${made.start}:${made.size}`];
  return facts.filter((fact) => recorded.includes(`${fact.split(' ')[0] ?? ''} `)).join(' ');
}

async function instancesOf(machine: DoubleMachine, driver: GpuDriver) {
  const answer = await driver.instances(machine.uuids[0] ?? '');
  if (!answer.ok) throw new Error(answer.why.message);
  return answer.value;
}

async function listed(machine: DoubleMachine, driver: GpuDriver): Promise<readonly string[]> {
  return (await instancesOf(machine, driver)).map(
    ({ id, profileId, placement }) => `${profileId} gi ${id} at ${placement.start}:${placement.size}`,
  );
}
