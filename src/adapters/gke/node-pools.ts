/** The NodePools port on GKE's Container API. */
import { clusterPath, type GkeCluster, type GkeNodePool } from '#core/clouds/gke/node-pool';
import { deletePool, setAutoscaling, setPoolSize } from '#core/clouds/gke/pool-requests';
import type { CloudRequest } from '#core/clouds/request';
import type { CallOptions, CloudAnswer, CloudRefusal, NodePools, PoolView } from '#ports/node-pools';
import {
  backOffMs,
  gkeClient,
  isPassing,
  ofText,
  refusalOf,
  type GkeAccess,
  type GkeReply,
} from './client.js';
import { draftPool, freshPool } from './draft-pool.js';
import { operationEnd } from './operations.js';
import { poolList, poolOf, viewOf } from './read-pool.js';

export interface GkeOptions extends GkeAccess {
  readonly place: GkeCluster;
  /** How the API spells the attribute of a size; left out: sizes with attributes are refused. */
  readonly attributeSpelling?: '.' | '+';
  /** For one operation (default: 40 min: machines with GPUs may take long to come). */
  readonly timeoutMs?: number;
  /** For other operations on the cluster to end (default: 20 min). */
  readonly busyTimeoutMs?: number;
}

export interface GkeNodePools extends NodePools {
  readonly close: () => Promise<void>;
}

export function gkeNodePools(options: GkeOptions): GkeNodePools {
  const { place, clock, attributeSpelling, timeoutMs = 40 * 60_000, busyTimeoutMs = 20 * 60_000 } = options;
  const client = gkeClient(options);
  const poolPath = (name: string): string => `v1/${clusterPath(place)}/nodePools/${encodeURIComponent(name)}`;

  const find = async (name: string): Promise<CloudAnswer<GkeNodePool | null>> => {
    const looked = await client.look(poolPath(name));
    return looked.ok ? { ok: true, value: poolOf(looked.value) } : looked;
  };

  /** `isDone`: by looking, where nobody can say whether a request was taken. A second one is sent only after a "no". */
  const carryOut = async (
    { method, path, body }: CloudRequest,
    isDone: () => Promise<CloudAnswer<boolean>>,
    call: CallOptions,
  ): Promise<CloudAnswer<null>> => {
    const deadlineMs = clock.nowMs() + busyTimeoutMs;
    for (let attempt = 1; ; attempt += 1) {
      const reply = await client.call(method, path, body);
      if (reply?.status === 200) return operationEnd(client, place, reply.body, timeoutMs, call);
      if (reply?.status === 404 && method === 'DELETE') return { ok: true, value: null };
      if (!isPassing(reply) && reply?.status !== 409 && !isBusy(reply)) return refused(reply);
      if (reply?.status !== 429) {
        const done = await isDone();
        if (!done.ok) return done;
        if (done.value) return { ok: true, value: null };
      }
      if (call.signal.aborted || clock.nowMs() >= deadlineMs) return refused(reply);
      call.say(reply === null ? 'no answer: looked, and asking again' : `waiting: ${reply.message}`);
      await clock.sleep(reply?.retryAfterMs ?? backOffMs(attempt + 2), call.signal);
    }
  };

  /** Waits for a pool that is being made or changed by an operation whose name we do not know. */
  const settled = async (
    name: string,
    { signal, say }: CallOptions,
  ): Promise<CloudAnswer<PoolView | null>> => {
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (let attempt = 1; ; attempt += 1) {
      const found = await find(name);
      if (!found.ok || found.value === null) return found as CloudAnswer<null>;
      const view = viewOf(found.value);
      if (view.state === 'running' || view.state === 'broken') return { ok: true, value: view };
      const late = signal.aborted ? 'interrupted' : clock.nowMs() >= deadlineMs ? 'waited long enough' : null;
      if (late !== null) return timedOut(`${late}: node pool ${name} is still ${view.state}`);
      say(`node pool ${name} is ${view.state}`);
      await clock.sleep(backOffMs(attempt), signal);
    }
  };

  const getView = async (name: string): Promise<CloudAnswer<PoolView | null>> => {
    const found = await find(name);
    return found.ok ? { ok: true, value: found.value === null ? null : viewOf(found.value) } : found;
  };

  return {
    shown: `GKE cluster ${place.cluster}`,
    close: client.close,
    get: getView,
    list: async () => {
      const looked = await client.look(`v1/${clusterPath(place)}/nodePools`);
      if (!looked.ok) return looked;
      const read = poolList.safeParse(looked.value);
      if (looked.value === null) return notFound(`there is no cluster ${clusterPath(place)}`);
      if (!read.success) return notTheApi();
      return { ok: true, value: (read.data.nodePools ?? []).map((pool) => viewOf(pool as GkeNodePool)) };
    },
    draft: async (wish) => {
      if (wish.like === null) {
        const fresh = freshPool(place, wish.machine);
        return fresh.ok ? draftPool(place, fresh.value, wish, attributeSpelling) : fresh;
      }
      const old = await find(wish.like);
      if (!old.ok) return old;
      if (old.value === null) return notFound(`there is no node pool ${wish.like}`);
      return draftPool(place, old.value, wish, attributeSpelling);
    },
    create: async (draft, call) => {
      const [request] = draft.requests;
      const there = await find(draft.name);
      if (!there.ok) return there;
      if (there.value !== null) {
        if (!isDrafted(there.value, draft.labels)) return nameTaken(draft.name);
        call.say(`node pool ${draft.name} was begun before`);
      } else if (request !== undefined) {
        const made = await carryOut(
          request,
          async () => {
            const found = await find(draft.name);
            return found.ok ? { ok: true, value: found.value !== null } : found;
          },
          call,
        );
        if (!made.ok) return made;
      }
      const view = await settled(draft.name, call);
      if (!view.ok) return view;
      if (view.value === null) return failed(`node pool ${draft.name} is not there after it was made`);
      // Somebody else may have made one of that name at that moment.
      const { labels: has } = view.value;
      if (Object.entries(draft.labels).some(([key, value]) => has[key] !== value))
        return nameTaken(draft.name);
      if (view.value.state === 'broken')
        return failed(view.value.message ?? `node pool ${draft.name} has errors`);
      return { ok: true, value: view.value };
    },
    holdScaling: async (name, call) => {
      const found = await find(name);
      if (!found.ok) return found;
      if (found.value?.autoscaling?.enabled !== true) return { ok: true, value: null };
      return carryOut(setAutoscaling(place, name, null), notYet, call);
    },
    restoreScaling: async (name, like, call) => {
      const [pool, other] = [await find(name), await find(like)];
      if (!pool.ok) return pool;
      if (!other.ok) return other;
      const autoscaling = other.value?.autoscaling;
      if (autoscaling?.enabled !== true || pool.value?.autoscaling?.enabled === true) {
        return { ok: true, value: null };
      }
      return carryOut(setAutoscaling(place, name, autoscaling), notYet, call);
    },
    resize: async (name, nodes, call) => {
      const found = await find(name);
      if (!found.ok) return found;
      if (found.value === null) return notFound(`there is no node pool ${name}`);
      const perZone = Math.ceil(nodes / Math.max(found.value.locations?.length ?? 1, 1));
      return carryOut(setPoolSize(place, name, perZone), notYet, call);
    },
    remove: async (name, call) => {
      const gone = async (): Promise<CloudAnswer<boolean>> => {
        const found = await getView(name);
        return found.ok ? { ok: true, value: found.value === null } : found;
      };
      const there = await getView(name);
      if (!there.ok) return there;
      if (there.value?.state === 'going') return afterGoing(await settled(name, call));
      if (there.value === null) return { ok: true, value: null };
      return carryOut(deletePool(place, name), gone, call);
    },
    bootFailure: async () => null,
    closing: async (name) => {
      const found = await find(name);
      if (!found.ok) return found;
      const held = found.value?.autoscaling?.enabled === true ? [setAutoscaling(place, name, null)] : [];
      return { ok: true, value: [...held, deletePool(place, name)] };
    },
  };
}

/** An update of scaling may be sent twice: both say the same. */
const notYet = async (): Promise<CloudAnswer<boolean>> => ({ ok: true, value: false });

/** GKE also says so with a 400 whose text names the operation that runs. */
function isBusy(reply: GkeReply | null): boolean {
  return (
    reply?.status === 400 &&
    /operation .* (is )?currently|incompatible operation|is currently (creating|being)/i.test(reply.message)
  );
}

/** Whether a pool that is there is the one of the draft: cut alike, with the same marks. */
function isDrafted(pool: GkeNodePool, labels: Readonly<Record<string, string>>): boolean {
  const has = viewOf(pool).labels;
  return Object.entries(labels).every(([key, value]) => has[key] === value);
}

function afterGoing(settled: CloudAnswer<PoolView | null>): CloudAnswer<null> {
  if (!settled.ok) return settled;
  return settled.value === null ? { ok: true, value: null } : failed(`node pool ${settled.value.name} stays`);
}

function refused(reply: GkeReply | null): CloudAnswer<never> {
  return { ok: false, why: refusalOf(reply) };
}

function no(kind: CloudRefusal['kind'], message: string, next: string): CloudAnswer<never> {
  return { ok: false, why: { kind, message, next } };
}

function failed(message: string): CloudAnswer<never> {
  const { kind, next } = ofText(message);
  return kind === 'invalid'
    ? no('failed', message, 'See the pool in the console, then run this again.')
    : no(kind, message, next);
}

function timedOut(message: string): CloudAnswer<never> {
  return no('timed-out', message, 'Run this again: it goes on from there.');
}

function notFound(message: string): CloudAnswer<never> {
  return no(
    'not-found',
    message,
    'Check project, location, cluster and the name (`mica cluster pool list`).',
  );
}

function nameTaken(name: string): CloudAnswer<never> {
  return no('name-taken', `there is a node pool ${name}, made otherwise`, 'Name another one with --name.');
}

function notTheApi(): CloudAnswer<never> {
  return no(
    'unreachable',
    'the endpoint answers with something that the Container API never says',
    'Check its address.',
  );
}
