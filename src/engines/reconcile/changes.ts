/** The nodes that this process has in its hands, and those that it lets rest since they said no. */
import { controllerName, type Beginning } from '#core/cluster/policy/beginnings';
import { changeUnderWay } from '#core/cluster/policy/future';
import type { Hold } from '#core/cluster/policy/hold';
import { inWords } from '#core/cluster/policy/status';
import { utcText } from '#core/cluster/policy/windows';
import type { ClusterState } from '#core/cluster/objects';
import type { GpuHolders } from '#core/cluster/operator/disturbed';
import type { ClusterWatch } from '#ports/cluster-api';
import type { NodeOutcome } from '../cluster/answer.js';
import { changeNode } from '../cluster/change-node.js';
import { ConfigBook } from '../cluster/config-book.js';
import type { NodeOptions } from '../cluster/options.js';
import type { ControllerOptions } from './options.js';
import type { ReconcilePorts } from './ports.js';

/** A node that says no is asked again after that, and each time after twice as long. */
const firstRestMs = 30_000;
/** It was out of service for nothing. */
const firstRestAfterRollbackMs = 10 * 60_000;
const longestRestMs = 60 * 60_000;
/** A view that is later than that is taken as it is. */
const viewLagMs = 3_000;
const mostEvents = 20;

export class Changes {
  readonly #ports: ReconcilePorts;
  readonly #options: ControllerOptions;
  readonly #view: ClusterWatch;
  readonly #signal: AbortSignal;
  readonly #book: ConfigBook;
  readonly #running = new Map<string, Promise<void>>();
  readonly #rests = new Map<string, Hold & { readonly restMs: number }>();
  /** Nodes of which the view does not show yet what we did: whether they shall be seen in change, and since when. */
  readonly #unseen = new Map<string, { readonly isChanging: boolean; readonly sinceMs: number }>();
  #version = 0;
  #wake: () => void = () => undefined;

  constructor(ports: ReconcilePorts, options: ControllerOptions, view: ClusterWatch, signal: AbortSignal) {
    this.#ports = ports;
    this.#options = options;
    this.#view = view;
    this.#signal = signal;
    this.#book = new ConfigBook(ports, options);
  }

  get running(): ReadonlySet<string> {
    return new Set(this.#running.keys());
  }

  /** Counts the ends of changes. */
  get version(): number {
    return this.#version;
  }

  async changed(since: number): Promise<void> {
    if (this.#version > since) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  refusals(nowMs: number): ReadonlyMap<string, Hold> {
    for (const [node, { untilMs }] of this.#rests) {
      // So long after the last no, the next one is a first one again: a change by itself may take most of that.
      if (nowMs > untilMs + longestRestMs) this.#rests.delete(node);
    }
    return this.#rests;
  }

  isInView(nowMs: number): boolean {
    for (const [name, { isChanging, sinceMs }] of this.#unseen) {
      const node = this.#view.node(name);
      const isSeen = node === null || (changeUnderWay(node) !== null) === isChanging;
      if (isSeen || nowMs - sinceMs >= viewLagMs) this.#unseen.delete(name);
    }
    return this.#unseen.size === 0;
  }

  async begin(beginnings: readonly Beginning[], state: ClusterState): Promise<void> {
    const due = beginnings.filter(({ node }) => !this.#running.has(node));
    if (due.length === 0) return;
    const names = due.map(({ node }) => node);
    const holders = await this.#ports.holders(state, names, this.#signal);
    if (this.#signal.aborted) return;
    for (const one of due) this.#start(one, holders);
  }

  async allEnded(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  #start(one: Beginning, holders: GpuHolders): void {
    const { onNews } = this.#options;
    const { clock } = this.#ports;
    const fromMs = clock.nowMs();
    onNews({ kind: 'change-began', node: one.node, policy: one.policy, to: cutInWords(one) });
    this.#unseen.set(one.node, { isChanging: true, sinceMs: fromMs });
    const change = this.#change(one, holders).then((outcome) => {
      this.#running.delete(one.node);
      this.#note(one, outcome);
      const message = outcome.why?.message ?? '';
      const evicted = outcome.evicted?.length ?? 0;
      const tookMs = clock.nowMs() - fromMs;
      // Whoever leads next goes on with it.
      if (outcome.why?.kind !== 'interrupted') {
        onNews({
          kind: 'change-ended',
          ...{ node: one.node, policy: one.policy, outcome: outcome.outcome, message, tookMs, evicted },
        });
      }
      this.#version += 1;
      this.#wake();
    });
    this.#running.set(one.node, change);
  }

  async #change(one: Beginning, holders: GpuHolders): Promise<NodeOutcome> {
    const { node, cut, models, mayEvict, deadlineMs } = one;
    const { limits, namespace, configMap, mayReboot, onNews } = this.#options;
    const how: NodeOptions = {
      ...{ namespace, configMap, limits, holders, mayReboot, mayEvict, deadlineMs },
      by: controllerName,
      // What was decided holds for now, and not for after somebody else's change.
      only: one.isResumed ? 'resume' : 'begin',
      signal: this.#signal,
      onProgress: (name, says) => onNews({ kind: 'progress', node: name, says }),
    };
    const telling = one.isResumed ? undefined : this.#tellPods(one).catch(() => undefined);
    try {
      return await changeNode(this.#ports, { node, cut, models }, how, this.#book);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { node, outcome: 'failed', why: { kind: 'unreachable', message } };
    } finally {
      await telling;
    }
  }

  /** `kubectl describe pod` shows what is done for it; however long that takes, the node does not wait. */
  async #tellPods({ node, pods, ...rest }: Beginning): Promise<void> {
    for (const { namespace, name, uid } of pods.slice(0, mostEvents)) {
      if (this.#signal.aborted) return;
      const about = { kind: 'Pod', namespace, name, uid };
      const message = `${node} is being cut into ${cutInWords(rest)}, for it among others`;
      await this.#ports.api.recordEvent({ about, type: 'Normal', reason: 'MigSliceComing', message });
    }
  }

  #note({ node, isResumed }: Beginning, { outcome, why }: NodeOutcome): void {
    const nowMs = this.#ports.clock.nowMs();
    this.#unseen.set(node, { isChanging: why?.kind === 'interrupted', sinceMs: nowMs });
    if (outcome === 'done') this.#rests.delete(node);
    if (isResumed && outcome === 'unchanged') return;
    if (outcome === 'done' || why?.kind === 'interrupted') return;
    const firstMs = outcome === 'rolled-back' ? firstRestAfterRollbackMs : firstRestMs;
    const restMs = Math.min(longestRestMs, Math.max(firstMs, 2 * (this.#rests.get(node)?.restMs ?? 0)));
    const untilMs = nowMs + restMs;
    const said = why?.message ?? 'it is cut so already, and offers something else';
    const rest = `${said}; not before ${utcText(untilMs)}`;
    this.#rests.set(node, { kind: 'refused', untilMs, why: rest, restMs });
  }
}

function cutInWords({ cut }: Pick<Beginning, 'cut'>): string {
  const counts: Record<string, number> = {};
  for (const one of cut.values()) {
    const slices = one.mig ? Object.entries(one.counts) : [['whole', 1] as const];
    for (const [slot, count] of slices) counts[slot] = (counts[slot] ?? 0) + count;
  }
  return inWords(counts);
}
