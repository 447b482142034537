/** NVSwitches, and the Fabric Manager that they need: without it no program starts on the cards behind them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { namesIn, textOf } from './reading.js';

export interface Fabric {
  /** `hidden`: only root may look at what would tell. */
  readonly switches: 'some' | 'none' | 'hidden';
  /** `null`: no Fabric Manager runs. */
  readonly managerPid: number | null;
  /** Of the installed Fabric Manager; `null`: there is none, or it does not say. */
  readonly version: string | null;
}

/** `root`: where the file system of the machine begins. */
export async function fabricOf(root = '/'): Promise<Fabric> {
  const [switches, managerPid, version] = await Promise.all([
    switchesOf(root),
    pidNamed(root, 'nv-fabricmanage'),
    versionOf(join(root, 'usr/bin/nv-fabricmanager')),
  ]);
  return { switches, managerPid, version };
}

/** Up to Hopper the driver lists them; from Blackwell on they are managed through a network card that is marked. */
async function switchesOf(root: string): Promise<Fabric['switches']> {
  const listed = (await namesIn(join(root, 'proc/driver/nvidia-nvswitch/devices'))) ?? [];
  if (listed.length > 0) return 'some';
  const cards = join(root, 'sys/class/infiniband');
  const marks = await Promise.all(
    ((await namesIn(cards)) ?? []).map((card) => textOf(join(cards, card, 'device/vpd'))),
  );
  if (marks.some((mark) => mark?.includes('SW_MNG') === true)) return 'some';
  return marks.includes(null) ? 'hidden' : 'none';
}

/** The kernel keeps the first 15 letters of a name. */
async function pidNamed(root: string, name: string): Promise<number | null> {
  for (const pid of (await namesIn(join(root, 'proc'))) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    if ((await textOf(join(root, 'proc', pid, 'comm')))?.trimEnd() === name) return Number(pid);
  }
  return null;
}

function versionOf(program: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, ['--version'], { timeout: patienceMs }, (_, stdout, stderr) => {
      const [, version] = /version is\s*:\s*([\d.]+)/i.exec(`${stdout}${stderr}`) ?? [];
      resolve(version ?? null);
    });
  });
}

const patienceMs = 5000;
