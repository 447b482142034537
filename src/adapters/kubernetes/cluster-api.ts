/** The ClusterApi port on a Kubernetes API server. */
import type { Clock } from '#ports/clock';
import type { ClusterApi } from '#ports/cluster-api';
import { applyConfigMap, getConfigMap, listConfigMaps } from './config-maps.js';
import { connect, type Connection, type ConnectionOptions } from './connection.js';
import { getNode, patchNode } from './patch-node.js';
import { recordEvent } from './record-event.js';
import { deletePod, evictPod } from './remove-pod.js';
import { readCluster, watchCluster } from './watch-cluster.js';

export interface KubernetesOptions extends ConnectionOptions {
  readonly clock: Clock;
  /** Objects on one page of a list. */
  readonly pageSize?: number;
  /** A watch is asked for anew after so long, or half as long again. */
  readonly watchSeconds?: number;
  /** From 0 to 1; left out: by chance. */
  readonly random?: () => number;
  /** Told what a look leaves out because the user may not read it. */
  readonly onNote?: (note: string) => void;
}

export interface KubernetesApi extends ClusterApi {
  readonly connection: Connection;
  readonly close: () => Promise<void>;
}

export function kubernetesApi(options: KubernetesOptions): KubernetesApi {
  const {
    clock,
    pageSize = 250,
    watchSeconds = 120,
    random = Math.random,
    onNote = () => undefined,
  } = options;
  const connection = connect(options);
  const look = { connection, clock, pageSize, watchSeconds, random, onNote };
  return {
    connection,
    close: connection.close,
    read: (signal) => readCluster(look, signal),
    watch: (signal) => watchCluster(look, signal),
    getNode: (name) => getNode(connection, name),
    patchNode: (name, patch, version) => patchNode(connection, name, patch, version),
    evict: (pod, graceSeconds) => evictPod(connection, pod, graceSeconds),
    deletePod: (pod) => deletePod(connection, pod),
    getConfigMap: (namespace, name) => getConfigMap(connection, namespace, name),
    listConfigMaps: (namespace, selector) => listConfigMaps(connection, namespace, selector),
    applyConfigMap: (namespace, name, data, version) =>
      applyConfigMap(connection, namespace, name, data, version),
    recordEvent: (event) => recordEvent(connection, event, clock.nowMs()),
  };
}
