/** What the kernel noted about whoever opened a Unix socket: SO_PEERCRED, which Node does not ask for. Linux only. */
import type { Socket } from 'node:net';
import koffi from 'koffi';

export interface Credentials {
  readonly pid: number;
  readonly uid: number;
}

// asm-generic/socket.h: SOL_SOCKET and SO_PEERCRED; the same on x86-64 and arm64.
const socketLevel = 1;
const peerCredentials = 17;
/** struct ucred: pid, uid and gid, 32 bits each. */
const credentialsBytes = 12;

type GetSocketOption = (
  descriptor: number,
  level: number,
  option: number,
  value: Buffer,
  length: Int32Array,
) => number;

let getSocketOption: GetSocketOption | null = null;

/** `null`: it is no Unix socket, is closed, or this system has no such thing. */
export function credentialsOf(socket: Socket): Credentials | null {
  const descriptor = descriptorOf(socket);
  if (descriptor === null || process.platform !== 'linux') return null;
  // The C library that this very process runs on.
  getSocketOption ??= koffi
    .load(null)
    .func('int getsockopt(int, int, int, _Out_ void *, _Inout_ int *)') as unknown as GetSocketOption;
  const value = Buffer.alloc(credentialsBytes);
  const length = new Int32Array([credentialsBytes]);
  if (getSocketOption(descriptor, socketLevel, peerCredentials, value, length) !== 0) return null;
  const pid = value.readInt32LE(0);
  return length[0] === credentialsBytes && pid > 0 ? { pid, uid: value.readUInt32LE(4) } : null;
}

/** Node keeps it in a field that it does not document. */
function descriptorOf(socket: Socket): number | null {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  const descriptor = handle?.fd ?? -1;
  return descriptor >= 0 ? descriptor : null;
}
