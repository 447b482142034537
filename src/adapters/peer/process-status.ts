/** What /proc says of a process to everybody: whose it is, which group and session it leads, and who counts it. */
import { readFileSync } from 'node:fs';

export interface ProcessStatus {
  /** Real user; who is set-uid has another one in effect. */
  readonly uid: number;
  readonly group: number;
  readonly session: number;
  /** It lives in a pid namespace below this one, where it has another number. */
  readonly isNested: boolean;
}

/** `null`: no such process that can be seen from here. */
export function statusOf(pid: number): ProcessStatus | null {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  let status: string;
  let stat: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const field = (name: string): readonly string[] =>
    new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/) ?? [];
  // The name in parentheses may hold blanks and parentheses itself, so fields are counted from its end.
  const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const uid = Number(field('Uid')[0] ?? NaN);
  if (!Number.isSafeInteger(uid)) return null;
  return { uid, group: Number(group), session: Number(session), isNested: field('NSpid').length > 1 };
}
