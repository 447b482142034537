/**
 * A leader at work: look, decide, begin, say, wait for something to change. What it knows for longer than a round is on
 * the nodes and in the policies; the rest it can lose.
 */
import { decide, type Round } from '#core/cluster/policy/decide';
import type { Scene } from '#core/cluster/policy/scene';
import type { ClusterState } from '#core/cluster/objects';
import type { ClusterWatch } from '#ports/cluster-api';
import type { PolicyWatch } from '#ports/mig-policies';
import { notingEvents } from '../cluster/note-events.js';
import { Changes } from './changes.js';
import { figuresOf } from './figures.js';
import type { PolicyFigures } from './news.js';
import type { ControllerOptions } from './options.js';
import type { ReconcilePorts } from './ports.js';
import { Spokesman } from './spokesman.js';

/** A sign of life, where nothing happens. */
const longestWaitMs = 30_000;
/** Changes come in swarms. */
const shortestWaitMs = 25;
/** Of its time it thinks no more than half. */
const restPerWork = 1;
const backOffMs = 10_000;

/** Ends when the signal aborts, once nothing that it began is in its hands any more. */
export async function reconcile(
  given: ReconcilePorts,
  options: ControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  const trouble = (message: string): void => options.onNews({ kind: 'trouble', message });
  const ports = { ...given, ...notingEvents(given, trouble) };
  const view = await ports.cluster.watch(signal);
  try {
    const policies = await ports.policies.watch(signal);
    try {
      await new Leader(ports, options, view, policies, signal).work();
    } finally {
      await policies.close();
    }
  } finally {
    await view.close();
  }
}

class Leader {
  readonly #ports: ReconcilePorts;
  readonly #options: ControllerOptions;
  readonly #view: ClusterWatch;
  readonly #policies: PolicyWatch;
  readonly #signal: AbortSignal;
  readonly #changes: Changes;
  readonly #spokesman: Spokesman;
  #viewTrouble = '';
  #decideTrouble = '';
  /** After this round, whatever happens. */
  #restMs = shortestWaitMs;
  /** Of the last round that came to its end. */
  #figures: readonly PolicyFigures[] = [];

  constructor(
    ports: ReconcilePorts,
    options: ControllerOptions,
    view: ClusterWatch,
    policies: PolicyWatch,
    signal: AbortSignal,
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#view = view;
    this.#policies = policies;
    this.#signal = signal;
    this.#changes = new Changes(ports, options, view, signal);
    this.#spokesman = new Spokesman(ports, options, signal);
  }

  async work(): Promise<void> {
    const { clock } = this.#ports;
    try {
      while (!this.#signal.aborted) {
        const versions = {
          view: this.#view.version(),
          policies: this.#policies.version(),
          changes: this.#changes.version,
        };
        this.#restMs = shortestWaitMs;
        const untilMs = await this.#round();
        await clock.sleep(this.#restMs, this.#signal);
        await this.#until(untilMs, versions);
      }
    } finally {
      await this.#changes.allEnded();
    }
  }

  /** When to look again, even where nothing changed. */
  async #round(): Promise<number> {
    const { clock } = this.#ports;
    const nowMs = clock.nowMs();
    const trouble = this.#view.trouble() ?? this.#policies.trouble();
    const mayBeOld = trouble === null ? '' : `the view of the cluster may be old: ${trouble.message}`;
    this.#viewTrouble = this.#tell(mayBeOld, this.#viewTrouble);
    if (trouble !== null) {
      // It lives, and knows no better.
      this.#turned(this.#figures);
      return nowMs + longestWaitMs;
    }
    // What was begun or ended a moment ago is not in view yet: deciding now would be about another cluster.
    if (!this.#changes.isInView(nowMs)) return nowMs + 1_000;
    try {
      const state = this.#view.state();
      const round = this.#decide(state, nowMs);
      this.#restMs = Math.max(shortestWaitMs, (clock.nowMs() - nowMs) * restPerWork);
      await this.#changes.begin(round.begin, state);
      const dueMs = await this.#spokesman.say(round.statuses, this.#policies.policies());
      this.#turned(figuresOf(round.statuses));
      this.#decideTrouble = '';
      return Math.min(round.wakeMs, dueMs, nowMs + longestWaitMs);
    } catch (error) {
      const why = `could not decide: ${error instanceof Error ? error.message : String(error)}`;
      this.#decideTrouble = this.#tell(why, this.#decideTrouble);
      this.#restMs = backOffMs;
      return nowMs + backOffMs;
    }
  }

  #turned(figures: readonly PolicyFigures[]): void {
    this.#figures = figures;
    this.#options.onNews({ kind: 'turn', policies: figures, changing: this.#changes.running.size });
  }

  #decide(state: ClusterState, nowMs: number): Round {
    const { clock, plan } = this.#ports;
    const scene: Scene = {
      nowMs,
      state,
      policies: this.#policies.policies(),
      refusals: this.#changes.refusals(nowMs),
      running: this.#changes.running,
      plan: (of, how) => {
        const fromMs = clock.nowMs();
        const answer = plan(of, how);
        const verdict = answer.ok ? answer.plan.verdict : answer.why.kind;
        this.#options.onNews({ kind: 'planned', tookMs: clock.nowMs() - fromMs, verdict });
        return answer;
      },
      isRehearsal: this.#options.dryRun,
    };
    return decide(scene);
  }

  /** Once, for as long as it stays the same. */
  #tell(trouble: string, before: string): string {
    if (trouble !== '' && trouble !== before) this.#options.onNews({ kind: 'trouble', message: trouble });
    return trouble;
  }

  async #until(
    untilMs: number,
    since: { readonly view: number; readonly policies: number; readonly changes: number },
  ): Promise<void> {
    if (this.#signal.aborted) return;
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#signal.addEventListener('abort', wake, { once: true });
    const { clock } = this.#ports;
    try {
      await Promise.race([
        this.#view.changed(since.view, woken.signal),
        this.#policies.changed(since.policies, woken.signal),
        this.#changes.changed(since.changes),
        clock.sleep(Math.max(1, untilMs - clock.nowMs()), woken.signal),
      ]);
    } finally {
      this.#signal.removeEventListener('abort', wake);
      wake();
    }
  }
}
