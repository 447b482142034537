/**
 * One node under the GPU Operator, changed: look at it, decide, do one thing, look again. It goes on from wherever the
 * node's annotations say that the change is, so that a new process resumes what another began.
 */
import { begin, claim, nextStep } from '#core/cluster/operator/next-step';
import type { Ending, NodeView } from '#core/cluster/operator/decision';
import { podKey } from '#core/cluster/operator/disturbed';
import { judgeNode } from '#core/cluster/operator/judge-node';
import { annotations, isSameChange, readRecord, type ChangeRecord } from '#core/cluster/operator/record';
import type { ClusterNode, ClusterPod } from '#core/cluster/objects';
import type { ApiRefusal } from '#ports/cluster-api';
import { contentName } from '../emit/kubernetes-names.js';
import { noRoom, type NodeOutcome, type NodeWhy } from './answer.js';
import { Claims } from './claims.js';
import { ConfigBook } from './config-book.js';
import { endedByOthers } from './ended-by-others.js';
import { lookAtNode, type NodeLook } from './look-at-node.js';
import { NodeMemory } from './memory.js';
import type { NodeOptions, WantedNode } from './options.js';
import type { ClusterPorts } from './ports.js';
import { permissionFor, takeStep, type Step } from './take-step.js';

/** Without an answer for so long, we stop: whoever comes next goes on from the annotations. */
const longestSilenceMs = 300_000;

export async function changeNode(
  ports: ClusterPorts,
  wanted: WantedNode,
  options: NodeOptions,
  book: ConfigBook = new ConfigBook(ports, options),
): Promise<NodeOutcome> {
  let before: NodeOutcome | null = null;
  for (let round = 1; ; round += 1) {
    const change = new NodeChange(ports, wanted, options, book);
    const outcome = await change.run();
    if (before !== null && outcome.outcome === 'unchanged') return before;
    // What was under way may have been another change than the one wanted.
    const isOver =
      options.only !== undefined ||
      !change.isAnothers ||
      outcome.outcome !== 'done' ||
      options.dryRun === true;
    if (isOver || round === mostRounds) return outcome;
    before = outcome;
  }
}

/** Whoever wants something else of the same node at the same time is waited for so often. */
const mostRounds = 4;

class NodeChange {
  /** It was begun by an earlier run, or ended by another one. */
  isAnothers = false;
  readonly #ports: ClusterPorts;
  readonly #name: string;
  readonly #wanted: WantedNode;
  readonly #options: NodeOptions;
  readonly #book: ConfigBook;
  readonly #memory = new NodeMemory();
  readonly #claims: Claims;
  readonly #evicted = new Set<string>();
  /** What we tried to begin, whether or not the answer came. */
  #proposed: ChangeRecord | null = null;
  /** That was written on the node, or may have been. */
  #mayHaveBegun = false;
  /** The change that is under way on the node. */
  #record: ChangeRecord | null = null;
  #uid: string | null = null;
  /** As it was last seen. */
  #node: ClusterNode | null = null;
  /** Since when it waits for room. */
  #waitsSinceMs: number | null = null;
  #notes: readonly string[] = [];

  constructor(ports: ClusterPorts, wanted: WantedNode, options: NodeOptions, book: ConfigBook) {
    this.#ports = ports;
    this.#name = wanted.node;
    this.#wanted = wanted;
    this.#options = options;
    this.#book = book;
    this.#claims = new Claims(ports);
  }

  async run(): Promise<NodeOutcome> {
    for (;;) {
      if (this.#options.signal?.aborted === true) {
        const next = 'Run the same command again: it goes on from what is written on the node.';
        await this.#withdraw();
        const isUntouched = this.#record === null && !this.#mayHaveBegun;
        return this.#over(isUntouched ? 'refused' : 'failed', {
          kind: 'interrupted',
          message: 'stopped before it was at its end',
          next,
        });
      }
      const outcome = await this.#turn();
      if (outcome !== null) return outcome;
    }
  }

  /** `null`: look again. */
  async #turn(): Promise<NodeOutcome | null> {
    const isBlocked = this.#memory.blocked !== null;
    const look = await lookAtNode(this.#ports.api, this.#name, this.#book, isBlocked);
    if (!look.ok) return this.#unseen(look.why, look.needs);
    if (this.#uid !== null && look.node.uid !== this.#uid) {
      return this.#over('failed', { kind: 'no-node', message: `another node is called ${this.#name} now` });
    }
    this.#uid = look.node.uid;
    if (look.blocked !== null) this.#memory.blocked = look.blocked;
    this.#node = look.node;
    const read = readRecord(look.node.annotations);
    const record = read === 'unreadable' || read?.phase === 'stuck' ? null : read;
    const { sentEnding } = this.#memory;
    if (record === null && sentEnding !== null) return this.#ended(look.node, sentEnding);
    this.#memory.sentEnding = null;
    const followed = this.#record;
    if (followed !== null && (record === null || !isSameChange(record, followed))) {
      if (followed.phase !== 'claimed') return this.#vanished(look.node, followed, read);
      this.#record = null;
    }
    const { only, by } = this.#options;
    if (record === null) return only === 'resume' ? this.#over('unchanged') : this.#judge(look);
    if (this.#record === null) {
      const isOurs = this.#proposed !== null && isSameChange(record, this.#proposed);
      if (!isOurs && only !== undefined && (only === 'begin' || record.by !== by)) {
        const message = `node ${this.#name} is being changed by somebody else (${record.phase})`;
        return this.#over('refused', { kind: 'at-work', message });
      }
      if (!isOurs && record.phase === 'claimed') return this.#awaitClaim(look, record);
      this.isAnothers = !isOurs;
      if (!isOurs) this.#tell(`an earlier run left it at ${record.phase}: going on`);
    }
    this.#record = record;
    if (this.#options.dryRun === true) {
      this.#notes = [`A change is under way (${record.phase}), and is brought to its end first.`];
      return this.#over('done');
    }
    const entry = record.phase === 'claimed' ? await this.#enter(record.startedMs) : 'enter';
    if (entry !== 'enter') return entry;
    return this.#follow(this.#memory.inOurTime(record, this.#ports.clock.nowMs()), look);
  }

  /** `claimedMs`: since when the node is claimed by us; `null`: it is not yet. */
  async #enter(claimedMs: number | null): Promise<NodeOutcome | 'enter' | null> {
    const { room, limits, signal } = this.#options;
    const { clock } = this.#ports;
    if (room === undefined) return 'enter';
    const entry = await this.#claims.mayEnter(this.#name, claimedMs, room);
    if (!entry.ok) return this.#unseen(entry.why, 'list nodes');
    this.#memory.wentWell();
    this.#waitsSinceMs ??= clock.nowMs();
    const isLate = clock.nowMs() - this.#waitsSinceMs >= limits.evictMs;
    switch (entry.value.kind) {
      case 'enter':
        this.#waitsSinceMs = null;
        return 'enter';
      case 'full':
        await this.#withdraw();
        return this.#over('refused', noRoom(entry.value.away, room.most));
      case 'withdraw':
      case 'wait':
        if (isLate || entry.value.kind === 'withdraw') await this.#withdraw();
        if (isLate) return this.#over('refused', noRoom([], room.most));
        await clock.sleep(limits.pollMs, signal);
        return null;
    }
  }

  /** Another process means this node, too, and has not begun. */
  async #awaitClaim({ node }: NodeLook, { phase }: ChangeRecord): Promise<NodeOutcome | null> {
    if (this.#options.dryRun === true) {
      this.#notes = [`Another run is about to change it (${phase}).`];
      return this.#over('done');
    }
    await this.#claims.breakIfDead(node);
    await this.#ports.clock.sleep(this.#options.limits.pollMs, this.#options.signal);
    return null;
  }

  /** Takes back what only was claimed; whoever meets it otherwise finds out that nobody follows it up. */
  async #withdraw(): Promise<void> {
    const [record, node] = [this.#record, this.#node];
    if (record?.phase !== 'claimed' || node === null) return;
    const edit = { annotations: { [annotations.change]: null } };
    await this.#ports.api.patchNode(this.#name, edit, node.resourceVersion);
    this.#record = null;
    this.#mayHaveBegun = false;
  }

  async #follow(record: ChangeRecord, look: NodeLook): Promise<NodeOutcome | null> {
    const nowMs = this.#ports.clock.nowMs();
    const { limits, deadlineMs } = this.#options;
    const view = this.#viewOf(look.node, look.pods, look.hasEntry);
    const decision = nextStep(record, view, limits, deadlineMs);
    switch (decision.kind) {
      case 'wait':
        this.#memory.wentWell();
        await this.#ports.clock.sleep(Math.max(1, decision.untilMs - nowMs), this.#options.signal);
        return null;
      case 'end':
        return this.#ended(look.node, decision.ending);
      case 'edit-node':
      case 'write-config':
      case 'evict':
      case 'delete-pod':
        return this.#take(decision, look.node, record);
    }
  }

  #viewOf(node: ClusterNode, pods: readonly ClusterPod[], hasEntry = true): NodeView {
    const nowMs = this.#ports.clock.nowMs();
    const { holders, namespace, mayEndBare = false } = this.#options;
    return {
      nowMs,
      mayEndBare,
      node,
      pods,
      hasEntry,
      holders,
      operatorNamespace: namespace,
      asked: this.#memory.asked,
      stateSinceMs: this.#memory.stateSince(node, nowMs),
      blocked: this.#memory.blocked,
    };
  }

  async #judge({ node, pods }: NodeLook): Promise<NodeOutcome | null> {
    const {
      holders,
      namespace,
      mayEndBare = false,
      mayReboot = true,
      mayEvict = true,
      by,
      dryRun = false,
    } = this.#options;
    const known = await this.#book.known(this.#name);
    if (!known.ok) return this.#unseen(known.why, `get configmaps in ${namespace}`);
    const judgement = judgeNode({
      node,
      pods,
      wanted: this.#wanted.cut,
      ...(this.#wanted.models !== undefined && { models: this.#wanted.models }),
      ...known.value,
      holders,
      operatorNamespace: namespace,
      mayEndBare,
      mayReboot,
      mayEvict,
      ...(by !== undefined && { by }),
      shorten: (name, entries) => contentName(name, entries),
      nowMs: this.#ports.clock.nowMs(),
    });
    if (judgement.kind === 'unchanged') return this.#over('unchanged');
    if (judgement.kind === 'refused') return this.#over('refused', judgement.why);
    this.#notes = judgement.notes;
    this.#proposed = judgement.record;
    if (dryRun) {
      for (const pod of judgement.pods) this.#evicted.add(podKey(pod));
      this.#record = judgement.record;
      return this.#over('done');
    }
    const { record } = judgement;
    // What is out of service already takes nothing more away.
    const isAway = node.isCordoned || !node.isReady || readRecord(node.annotations) !== null;
    if (this.#options.room === undefined || isAway) {
      for (const note of judgement.notes) this.#tell(note);
      return this.#take(begin(record, { node }), node, null);
    }
    const entry = await this.#enter(null);
    if (entry !== 'enter') return entry;
    for (const note of judgement.notes) this.#tell(note);
    return this.#take(claim(record), node, null);
  }

  async #take(step: Step, node: ClusterNode, record: ChangeRecord | null): Promise<NodeOutcome | null> {
    this.#tell(step.says);
    const ends = step.kind === 'edit-node' ? (step.ends ?? null) : null;
    const place = { node, record, book: this.#book, memory: this.#memory };
    const why = await takeStep(this.#ports, step, place);
    if (record === null && (why === null || why.kind === 'unreachable')) this.#mayHaveBegun = true;
    if (step.kind === 'evict') {
      const { againMs = 0, said = null } = this.#memory.asked.get(step.pod.uid) ?? {};
      if (againMs === Infinity && said === null) this.#evicted.add(podKey(step.pod));
    }
    if (why === null) {
      this.#memory.wentWell();
      if (ends !== null) return this.#ended(node, ends);
      const isBegun = step.kind === 'edit-node' && step.begins === true;
      if (isBegun)
        await this.#event(
          node,
          'Normal',
          'MigChangeBegun',
          `to ${(record ?? this.#proposed)?.goal.config ?? ''}`,
        );
      return null;
    }
    const permission = permissionFor(step.kind, this.#options.namespace);
    const isFinal = why.kind === 'forbidden' || why.kind === 'invalid';
    // Without that, nothing can be written on the node either.
    if (isFinal && step.kind === 'edit-node') return this.#unseen(why, permission);
    if (isFinal) this.#memory.blocked = `may not ${permission}: ${why.message}`;
    else if (why.kind === 'gone' && step.kind === 'write-config') {
      this.#memory.blocked = `there is no place for the configurations: ${why.message}`;
    } else if (why.kind === 'owned') {
      this.#memory.blocked = `somebody else owns the configurations: ${why.message}`;
    } else {
      if (why.kind === 'unreachable') this.#memory.sentEnding = ends;
      return this.#backOff(why);
    }
    return null;
  }

  /** The server refuses, or does not answer. */
  async #unseen(why: ApiRefusal, permission: string): Promise<NodeOutcome | null> {
    const outcome = this.#record === null && !this.#mayHaveBegun ? 'refused' : 'failed';
    if (why.kind === 'gone') return this.#over(outcome, { kind: 'no-node', message: why.message });
    if (why.kind !== 'forbidden' && why.kind !== 'invalid') return this.#backOff(why);
    const next = `Allow the user of the kubeconfig to ${permission}; deploy/ has the roles.`;
    const can = why.kind === 'forbidden' ? 'may not' : 'cannot';
    return this.#over(outcome, { kind: 'forbidden', message: `${can} ${permission}: ${why.message}`, next });
  }

  async #backOff(why: ApiRefusal): Promise<NodeOutcome | null> {
    const nowMs = this.#ports.clock.nowMs();
    const { waitMs, sinceMs } = this.#memory.stumbled(why, nowMs);
    if (nowMs - sinceMs >= longestSilenceMs) {
      const message = `it was not taken for ${longestSilenceMs / 60_000} minutes: ${why.message}`;
      const next = 'Run the same command again once it answers: it goes on from what is written on the node.';
      return this.#over('failed', { kind: 'unreachable', message, next });
    }
    await this.#ports.clock.sleep(waitMs, this.#options.signal);
    return null;
  }

  /** Another run that saw the same node ended the change before us; or somebody meddles. */
  async #vanished(
    node: ClusterNode,
    record: ChangeRecord,
    read: ReturnType<typeof readRecord>,
  ): Promise<NodeOutcome> {
    this.isAnothers = true;
    const ended = endedByOthers(record, read, this.#viewOf(node, []), this.#options.limits);
    if (ended !== null) return this.#over(ended.outcome, ended.why);
    const message = 'somebody took the annotation mica.dev/change off the node';
    const next = 'See what the node holds (mica cluster show), then run the command again.';
    if (node.isCordoned && read === null) {
      const edit = { annotations: { [annotations.reason]: message, [annotations.nextStep]: next } };
      await this.#ports.api.patchNode(this.#name, edit, node.resourceVersion);
    }
    return this.#over('failed', { kind: 'record-removed', message, next });
  }

  async #ended(node: ClusterNode, ending: Ending): Promise<NodeOutcome> {
    if (ending.outcome === 'done') {
      await this.#event(node, 'Normal', 'MigChanged', `cut as ${this.#record?.goal.config ?? ''}`);
      return this.#over('done');
    }
    const reason = ending.outcome === 'failed' ? 'MigChangeFailed' : 'MigChangeRolledBack';
    await this.#event(node, 'Warning', reason, ending.why.message);
    return this.#over(ending.outcome, ending.why);
  }

  /** For people who look at the node; whether it arrives changes nothing. */
  async #event(
    { name, uid }: ClusterNode,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): Promise<void> {
    const about = { kind: 'Node', namespace: null, name, uid };
    await this.#ports.api.recordEvent({ about, type, reason, message });
  }

  #over(outcome: NodeOutcome['outcome'], why?: NodeWhy): NodeOutcome {
    const record = this.#record;
    return {
      node: this.#name,
      outcome,
      ...(record !== null && { config: record.goal.config, gpus: record.reach.gpus }),
      ...(this.#evicted.size > 0 && { evicted: [...this.#evicted] }),
      ...(this.#notes.length > 0 && { notes: this.#notes }),
      ...(why !== undefined && { why }),
    };
  }

  #tell(says: string): void {
    this.#options.onProgress?.(this.#name, says);
  }
}
