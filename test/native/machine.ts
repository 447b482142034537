/**
 * Machines for the C double of libnvidia-ml: each has a folder of its own with the library, a tiny nvidia-smi, the
 * cards as the double reads them, its state, its clients, its faults, and the log of every call.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDouble } from './build.js';
import { machineText, uuidOf, type CardOptions } from './model-text.js';

export interface DoubleCard extends Partial<CardOptions> {
  /** Catalogue key. */
  readonly key: string;
}

/** `Switch`es change how the whole machine behaves. */
export type Switch =
  | 'unprivileged'
  /** Not even reading instances is allowed. */
  | 'no-monitor'
  /** Default places and GI ids turned round. */
  | 'adversarial'
  /** A driver before profile information had version 3. */
  | 'only-v2'
  | 'no-driver'
  | 'no-access'
  | 'other-version'
  /** The planted bug: a GPU instance may go before its compute instances. */
  | 'bug-destroy-order';

export interface DoubleClient {
  readonly pid: number;
  readonly gpu: number;
  /** `null`: on the whole GPU. */
  readonly instanceId: number | null;
  readonly memoryMiB: number;
  readonly name?: string;
  /** Compute, graphics or MPS. */
  readonly kind?: 'C' | 'G' | 'M';
  /** Gone as soon as the process is. */
  readonly live?: boolean;
  /** With `live`: when the process began, in the kernel's ticks, since its id may come again. */
  readonly since?: string;
}

export interface LoggedCall {
  readonly pid: number;
  readonly call: string;
  /** `gpu`, `gi`, `profile`, `start`, `serial`, as far as the call has them. */
  readonly at: Readonly<Record<string, number>>;
  /** NVML's code; `null`: the script crashed the process there. */
  readonly code: number | null;
}

export interface DoubleMachine {
  readonly folder: string;
  readonly libraryPath: string;
  readonly smiPath: string;
  /** UUIDs in the order of the cards. */
  readonly uuids: readonly string[];
  readonly setSwitches: (...switches: readonly Switch[]) => void;
  readonly setClients: (clients: readonly DoubleClient[]) => void;
  readonly clients: () => readonly DoubleClient[];
  /** Lines as `double/frame.c` describes them; counting begins anew. */
  readonly setFaults: (...lines: readonly string[]) => void;
  readonly calls: () => readonly LoggedCall[];
  readonly xid: (gpu: number, xid: number, instanceId: number | null) => void;
  /** The mode that a card was delivered with. */
  readonly setMode: (gpu: number, enabled: boolean) => void;
  readonly reboot: () => void;
  readonly remove: () => void;
}

export function makeMachine(cards: readonly DoubleCard[], driverVersion = '580.95.05'): DoubleMachine {
  const folder = mkdtempSync(join(tmpdir(), 'mica-nvml-'));
  const { libraryPath, smiPath } = buildDouble(folder);
  const file = (name: string) => join(folder, name);
  const replace = (name: string, lines: readonly string[]) => {
    writeFileSync(file(`${name}.new`), lines.map((line) => `${line}\n`).join(''));
    renameSync(file(`${name}.new`), file(name));
  };
  const smi = (...args: readonly (string | number)[]) => {
    execFileSync(smiPath, args.map(String), { stdio: 'pipe' });
  };
  const textOf = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
  writeFileSync(file('machine'), machineText(cards, driverVersion));
  return {
    folder,
    libraryPath,
    smiPath,
    uuids: cards.map((_, index) => uuidOf(index)),
    setSwitches: (...switches) => replace('switches', switches),
    setClients: (clients) => replace('clients', clients.map(lineOfClient)),
    clients: () => linesOf(textOf('clients')).map(clientOfLine),
    setFaults: (...lines) => replace('faults', lines),
    calls: () => linesOf(textOf('log')).map(callOfLine),
    xid: (gpu, xid, instanceId) => smi('xid', gpu, xid, instanceId ?? -1),
    setMode: (gpu, enabled) => smi('mig', gpu, enabled ? 1 : 0),
    reboot: () => smi('reboot'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

function lineOfClient(client: DoubleClient): string {
  const { pid, gpu, instanceId, memoryMiB, kind = 'C', name = '-', live = false, since } = client;
  const life = live ? `live${since === undefined ? '' : `:${since}`}` : '-';
  return `${pid} ${gpu} ${instanceId ?? -1} ${memoryMiB} ${kind} ${name} ${life}`;
}

function clientOfLine(line: string): DoubleClient {
  const [pid, gpu, instance, memoryMiB, kind, name, life] = line.split(' ');
  return {
    pid: Number(pid),
    gpu: Number(gpu),
    instanceId: Number(instance) < 0 ? null : Number(instance),
    memoryMiB: Number(memoryMiB),
    kind: (kind ?? 'C') as 'C' | 'G' | 'M',
    ...(name !== undefined && name !== '-' && { name }),
    live: life?.startsWith('live') === true,
  };
}

function callOfLine(line: string): LoggedCall {
  const match = /^(\d+) (\S+)(?: (.*))? -> (\S+)$/.exec(line);
  const [, pid, call = '', notes = '', code] = match ?? [];
  const at = [...notes.matchAll(/(\w+)=(\d+)/g)].map(([, key = '', value]) => [key, Number(value)] as const);
  return {
    pid: Number(pid),
    call,
    at: Object.fromEntries(at),
    code: code === undefined || code.startsWith('crash') ? null : Number(code),
  };
}
