/** The pods of one node, asked of the API server by name of the node: all of them, whether they use GPUs or not. */
import { MicaError } from '#core/errors';
import type { ClusterPod } from '#core/cluster/objects';
import type { Clock } from '#ports/clock';
import type { NodePods } from '#ports/node-pods';
import { asRefusal } from './answers.js';
import type { Connection } from './connection.js';
import { interning } from './interning.js';
import { listAll } from './lists.js';
import { readPod } from './read-pod.js';

export function nodePods(connection: Connection, clock: Clock, pageSize = 500): NodePods {
  const may = 'The user must be allowed to list pods.';
  return {
    podsOn: async (node) => {
      let found: ClusterPod[] = [];
      const intern = interning();
      const restart = (): void => void (found = []);
      const take = (raw: unknown): void => {
        const pod = readPod(raw, () => true, intern);
        if (pod !== null) found.push(pod);
      };
      const query = { fieldSelector: `spec.nodeName=${node}` };
      try {
        const options = { connection, clock, pageSize, may, query };
        await listAll('/api/v1/pods', options, { restart, take }, new AbortController().signal);
        return { ok: true, value: found };
      } catch (error) {
        if (!(error instanceof MicaError)) throw error;
        return { ok: false, why: asRefusal(error) };
      }
    },
  };
}
