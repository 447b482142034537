/** Node pools and their changes in words. */
import type { CloudRequest } from '#core/clouds/request';
import { MicaError } from '#core/errors';
import type { PoolAnswer } from '#engines/pools/ports';
import type { CloudRefusal, PoolSlices, PoolView } from '#ports/node-pools';
import type { AnswerExit, Context } from '../../command.js';
import { printable, type Screen } from '../../terminal/screen.js';
import { tableOf, type Column } from '../../terminal/table.js';

const columns: readonly Column[] = [
  { head: 'POOL' },
  { head: 'STATE' },
  { head: 'MACHINE' },
  { head: 'GPUS', align: 'right' },
  { head: 'A NODE OFFERS' },
  { head: 'SCALES' },
];

export function describePools(screen: Screen, pools: readonly PoolView[]): string {
  if (pools.length === 0) return 'This cluster has no node pools.';
  const rows = pools.map((pool) => [
    pool.name,
    pool.message === null ? pool.state : `${pool.state}: ${pool.message}`,
    pool.machineType ?? '',
    pool.gpusPerNode === 0 ? '' : String(pool.gpusPerNode),
    describeSlices(pool.slices),
    pool.scaling === null ? '' : `${pool.scaling.minNodes} to ${pool.scaling.maxNodes}`,
  ]);
  return tableOf(
    screen,
    columns,
    rows.map((row) => row.map(printable)),
  );
}

export function describeSlices(slices: readonly PoolSlices[] | null): string {
  if (slices === null) return 'not known';
  return slices.map(({ profile, perNode }) => `${perNode} x ${profile ?? 'whole GPU'}`).join(', ');
}

/** As a shell would take it, for people to read and paste. */
export function describeRequests(requests: readonly CloudRequest[]): string {
  return requests
    .map(({ method, path, body, command }) => {
      const sent = `${method} ${path}${body === null ? '' : `\n${JSON.stringify(body, null, 2)}`}`;
      return [...(command === null ? [] : [command.map(quoted).join(' ')]), sent.replace(/^/gm, '  ')].join(
        '\n',
      );
    })
    .join('\n\n');
}

export function describePoolAnswer(answer: PoolAnswer): string {
  const { outcome, pool, newPool, slices, why, left, evicted, requests, notes } = answer;
  const what = `${pool}${newPool === null ? '' : ` -> ${newPool}`}`;
  return [
    `${outcome}: ${what}${slices === null ? '' : `, a node offers ${describeSlices(slices)}`}`,
    ...(why === undefined ? [] : [`why: ${why.message}`, `next: ${why.next}`]),
    ...left.map((one) => `left: ${one}`),
    ...notes.map((note) => `note: ${note}`),
    ...(evicted.length === 0 ? [] : [`${evicted.length} pods were moved`]),
    ...(outcome === 'planned' ? ['', describeRequests(requests)] : []),
  ].join('\n');
}

/** What a cloud refuses is an answer where it says why; no access and no network are failures. */
export function thrown({ kind, message, next }: CloudRefusal): MicaError {
  const code =
    kind === 'forbidden' ? 'access-refused' : kind === 'unreachable' ? 'server-unreachable' : 'server-failed';
  return new MicaError(code, message, { next });
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Before pods are moved and nodes go. */
export async function isPoolAllowed({ screen, host }: Context, question: string): Promise<boolean> {
  if (host.confirm === undefined) throw new MicaError('needs-yes', question);
  screen.note(question);
  if (await host.confirm('Go on? [y/N] ')) return true;
  screen.note('nothing was touched');
  return false;
}

export function exitOfPool({ outcome }: PoolAnswer): AnswerExit {
  switch (outcome) {
    case 'unchanged':
    case 'planned':
    case 'done':
      return 0;
    case 'refused':
      return 1;
    case 'rolled-back':
    case 'failed':
      return 3;
  }
}

/** What a look at the cluster leaves out. */
export function noteTo(screen: Screen): (note: string) => void {
  return (note) => screen.note(`note: ${printable(note)}`);
}
