/**
 * A process of its own that changes the GPUs of a double, or restores them, and may be told where to die:
 * `change-child.ts MACHINE_FOLDER WANTED`, WANTED as JSON, or `back` and `forward` to restore. MICA_DIE, as `append 12
 * before` or `call 3 after`, names a write of the journal or a driver call that changes something.
 */
import { join } from 'node:path';
import { fileJournal } from '#adapters/journal/file-journal';
import { openNvml } from '#adapters/nvml/driver';
import { systemClock } from '#adapters/system/clock';
import { lockFiles } from '#adapters/system/lock-files';
import { systemProcesses } from '#adapters/system/processes';
import { changeGpus } from '#engines/change/change';
import type { WantedGpu } from '#engines/change/options';
import { restoreLayouts } from '#engines/change/restore';

const deadly = {
  append: ['append', 'close'],
  call: [
    'setMigMode',
    'reset',
    'createGpuInstance',
    'createComputeInstance',
    'destroyComputeInstance',
    'destroyGpuInstance',
  ],
} as const;

const [folder = '', todo = ''] = process.argv.slice(2);
const [where, at, moment] = (process.env['MICA_DIE'] ?? '').split(' ');
let count = 0;

const library = { libraryPath: join(folder, 'libnvidia-ml.so.1'), smiPath: join(folder, 'nvidia-smi') };
const driver = await openNvml(library);
const locks = lockFiles(join(folder, 'locks'));
const ports = {
  driver: mortal('call', driver),
  journal: mortal('append', fileJournal({ folder: join(folder, 'journal'), locks })),
  clock: systemClock,
  processes: systemProcesses,
};
process.stdout.write('ready\n');
if (todo === 'back' || todo === 'forward') await restoreLayouts(ports, todo);
else await changeGpus(ports, JSON.parse(todo) as readonly WantedGpu[]);
await driver.close();

function mortal<T extends object>(kind: keyof typeof deadly, target: T): T {
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key, object);
      if (kind !== where || typeof value !== 'function') return value;
      if (!deadly[kind].some((name) => name === key)) return value;
      return async (...args: unknown[]): Promise<unknown> => {
        const isHere = (count += 1) === Number(at);
        if (isHere && moment === 'before') die();
        const answer: unknown = await Reflect.apply(value, object, args);
        if (isHere) die();
        return answer;
      };
    },
  });
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
