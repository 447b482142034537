/** What AWS refuses, in the port's words. */
import type { CloudAnswer, CloudRefusal } from '#ports/node-pools';

/** Errors of the SDK carry their kind in `name`. */
function refusalOf(error: unknown): CloudRefusal {
  const { name = '', message = String(error) } = error instanceof Error ? error : {};
  const said = `AWS says ${name}: ${message}`;
  if (
    /AccessDenied|UnrecognizedClient|Unauthorized|ExpiredToken|CredentialsProvider|InvalidSignature|AuthFailure/.test(
      name,
    )
  ) {
    return {
      kind: 'forbidden',
      message: said,
      next: 'Give credentials that may use EKS node groups and EC2 launch templates.',
    };
  }
  if (name === 'ResourceNotFoundException') {
    return {
      kind: 'not-found',
      message: said,
      next: 'Check region, cluster and the name (`mica cluster pool list`).',
    };
  }
  if (name === 'ResourceInUseException') {
    return {
      kind: 'busy',
      message: said,
      next: 'Wait for the other change of the group, then run this again.',
    };
  }
  if (/LimitExceeded/.test(name))
    return { kind: 'quota', message: said, next: 'Ask AWS for a larger quota.' };
  if (/Invalid|Validation|Malformed|ClientException|ResourcePropagation/.test(name)) {
    return {
      kind: 'invalid',
      message: said,
      next: 'Mend what the message names; --dry-run shows what is sent.',
    };
  }
  return { kind: 'unreachable', message: said, next: 'Run this again later: it goes on from there.' };
}

/** What a group's health says, by the codes of EKS. */
export function refusalOfHealth(text: string): CloudRefusal {
  if (/InsufficientInstanceCapacity|capacity/i.test(text)) {
    return { kind: 'no-stock', message: text, next: 'Try other zones (subnets), a reservation, or later.' };
  }
  if (/VcpuLimitExceeded|MaxSpotInstanceCountExceeded|InstanceLimitExceeded/i.test(text)) {
    return { kind: 'quota', message: text, next: 'Ask AWS for a larger quota of this instance type.' };
  }
  return { kind: 'failed', message: text, next: 'See the health of the group in the console.' };
}

export async function answered<T>(call: () => Promise<T>): Promise<CloudAnswer<T>> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    return { ok: false, why: refusalOf(error) };
  }
}

export function no(kind: CloudRefusal['kind'], message: string, next: string): CloudAnswer<never> {
  return { ok: false, why: { kind, message, next } };
}
