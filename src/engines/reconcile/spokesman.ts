/** Statuses and events of policies: written when they say something new, and not more often than anybody can read. */
import type { PolicyCondition, PolicyStatus, SeenPolicy } from '#core/cluster/policy/mig-policy';
import type { ControllerOptions } from './options.js';
import type { ReconcilePorts } from './ports.js';

/** Numbers alone are written no more often. */
const betweenNumbersMs = 5_000;
const afterFailureMs = 10_000;

interface Said {
  readonly text: string;
  readonly gist: string;
  readonly atMs: number;
  /** By type. */
  readonly reasons: ReadonlyMap<string, string>;
}

interface Unheard {
  readonly untilMs: number;
  readonly message: string;
  /** By type, all the same in the log. */
  readonly told: ReadonlyMap<string, string>;
}

export class Spokesman {
  readonly #ports: ReconcilePorts;
  readonly #options: ControllerOptions;
  readonly #signal: AbortSignal;
  readonly #said = new Map<string, Said>();
  /** What could not be written, until when it is left alone. */
  readonly #unheard = new Map<string, Unheard>();

  constructor(ports: ReconcilePorts, options: ControllerOptions, signal: AbortSignal) {
    this.#ports = ports;
    this.#options = options;
    this.#signal = signal;
  }

  /** When something that was not said now is due. */
  async say(statuses: ReadonlyMap<string, PolicyStatus>, policies: readonly SeenPolicy[]): Promise<number> {
    let dueMs = Infinity;
    const names = new Set<string>();
    for (const seen of policies) {
      const { name, uid } = seen.policy;
      const status = statuses.get(name);
      names.add(uid);
      // Whoever leads next says it.
      if (this.#signal.aborted) return dueMs;
      if (status !== undefined) dueMs = Math.min(dueMs, await this.#sayOne(seen, status));
    }
    for (const of of [this.#said, this.#unheard])
      for (const uid of of.keys()) if (!names.has(uid)) of.delete(uid);
    return dueMs;
  }

  async #sayOne(
    { policy: { name, uid }, status: before }: SeenPolicy,
    status: PolicyStatus,
  ): Promise<number> {
    const nowMs = this.#ports.clock.nowMs();
    const said = this.#said.get(uid);
    const text = JSON.stringify(status);
    if (said?.text === text) return Infinity;
    const gist = JSON.stringify([
      status.observedGeneration,
      status.conditions.map(({ type, status: is, reason }) => [type, is, reason]),
    ]);
    if (said?.gist === gist && nowMs < said.atMs + betweenNumbersMs) return said.atMs + betweenNumbersMs;
    const unheard = this.#unheard.get(uid);
    if (unheard !== undefined && nowMs < unheard.untilMs) return unheard.untilMs;
    const known = said?.reasons ?? reasonsOf(before?.conditions ?? []);
    const changed = status.conditions.filter(({ type, reason }) => known.get(type) !== reason);
    const told = unheard?.told ?? known;
    for (const { type, reason, message } of changed) {
      const isNew = told.get(type) !== reason && (said !== undefined || !normal.has(reason));
      if (isNew)
        this.#options.onNews({ kind: 'advice', policy: name, says: `${type}: ${reason}: ${message}` });
    }
    const reasons = reasonsOf(status.conditions);
    if (this.#options.dryRun) {
      this.#said.set(uid, { text, gist, atMs: nowMs, reasons });
      return Infinity;
    }
    const answer = await this.#ports.policies.writeStatus({ name, uid }, status, nowMs);
    if (!answer.ok && answer.why.kind !== 'gone') {
      const message = `the status of policy ${name} was not written: ${answer.why.message}`;
      if (unheard?.message !== message) this.#options.onNews({ kind: 'trouble', message });
      const untilMs = nowMs + Math.max(afterFailureMs, answer.why.retryAfterMs ?? 0);
      this.#unheard.set(uid, { untilMs, message, told: reasons });
      return untilMs;
    }
    this.#unheard.delete(uid);
    this.#said.set(uid, { text, gist, atMs: nowMs, reasons });
    for (const one of changed) if (!this.#signal.aborted) await this.#record({ name, uid }, one);
    return Infinity;
  }

  async #record(
    { name, uid }: { readonly name: string; readonly uid: string },
    one: PolicyCondition,
  ): Promise<void> {
    const isBad =
      (one.type === 'Ready' && one.status === 'False') || (one.type === 'Degraded' && one.status === 'True');
    if (!isBad && !worthAnEvent.has(one.reason)) return;
    const about = { kind: 'MigPolicy', namespace: null, name, uid };
    const type = isBad || one.reason === 'NothingHelps' ? 'Warning' : 'Normal';
    await this.#ports.api.recordEvent({ about, type, reason: one.reason, message: one.message });
  }
}

/** Not worth a word at the start. */
const normal: ReadonlySet<string> = new Set(['NobodyWaits', 'PodsWait', 'Idle', 'AsExpected', 'NotFollowed']);

/** The rest is in the conditions, or told of the nodes. */
const worthAnEvent: ReadonlySet<string> = new Set([
  'Recommends',
  'NothingHelps',
  'WaitsForWindow',
  'TooManyAway',
  'CoolsDown',
  'Refused',
]);

function reasonsOf(conditions: readonly PolicyCondition[]): ReadonlyMap<string, string> {
  return new Map(conditions.map(({ type, reason }) => [type, reason]));
}
