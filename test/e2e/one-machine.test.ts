/** The guide to one machine prints what it shows. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/e2e */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '#adapters/system/clock';
import { lockFiles } from '#adapters/system/lock-files';
import { simulatedMachine } from '#adapters/simulated/machine';
import { inFile } from '#adapters/simulated/state-store';
import { root } from '../tooling/clone.js';
import { runMica } from './run-mica.js';

const path = join(root, 'docs/guides/one-machine.md');
const folder = mkdtempSync(join(tmpdir(), 'mica-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Files that the guide shows, what happens beside the commands (in comments that readers do not see), the commands. */
const piece =
  /`([\w-]+\.yaml)`:\n\n```yaml\n([^`]*)```|<!-- (starts|reboots)(?:: GPU (\d+), unit (\d+), (\d+) (\w+) (\d+) MiB)? -->|```console\n\$ mica ([^\n]*)\n([^`]*)```/g;

it('docs/guides/one-machine.md: prints what it shows', async () => {
  // The times and the names of changes, which begin with them, are those of the page.
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-23T09:00:00Z') });
  const before = process.cwd();
  process.chdir(folder);
  onTestFinished(() => {
    vi.useRealTimers();
    process.chdir(before);
  });
  const page = readFileSync(path, 'utf8');
  let shown = '';
  let end = 0;
  let commands = 0;
  for (const match of page.matchAll(piece)) {
    const [whole, file, content = '', event, gpu, unit, pid, name = '', usedMiB, command] = match;
    shown += page.slice(end, match.index);
    end = match.index + whole.length;
    vi.setSystemTime(Date.now() + 60_000);
    if (file !== undefined) writeFileSync(file, content);
    if (event === 'reboots') await (await machine()).reboot();
    if (event === 'starts') {
      await startClient(Number(gpu), Number(unit), { pid: Number(pid), name, usedMiB: Number(usedMiB) });
    }
    if (command === undefined) shown += whole;
    else shown += `\`\`\`console\n$ mica ${command}\n${await outputOf(command, (commands += 1) === 1)}\`\`\``;
  }
  shown += page.slice(end);
  expect(commands).toBeGreaterThan(8);
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(path, shown);
  expect(readFileSync(path, 'utf8')).toBe(shown);
});

async function outputOf(command: string, isFirst: boolean): Promise<string> {
  const more = ['--driver', 'simulated', ...(isFirst ? ['--gpus', 'rtx-pro-6000:2'] : [])];
  const { stdout, stderr } = await runMica([...command.split(' '), ...more], {
    env: { MICA_STATE_DIR: folder },
  });
  return `${stdout}${stderr}`;
}

const store = () => {
  const file = join(folder, 'simulated.json');
  return inFile({ path: file, locks: lockFiles(`${file}.locks`), clock: systemClock });
};

const machine = async () => simulatedMachine(await store());

async function startClient(
  index: number,
  unit: number,
  client: { readonly pid: number; readonly name: string; readonly usedMiB: number },
): Promise<void> {
  const gpu = (await (await store()).read()).gpus[index];
  const instance = gpu?.instances.find(({ start }) => start === unit);
  await (await machine()).addClient(gpu?.uuid ?? '', { ...client, instanceId: instance?.id ?? -1 });
}
