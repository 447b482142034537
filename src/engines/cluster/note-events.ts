/** Events are for people who look at a node; that none may be recorded is worth a word, and no failure. */
import type { ClusterPorts } from './ports.js';

/** The same ports; the first event that the server forbids is told. */
export function notingEvents(ports: ClusterPorts, onNote: (note: string) => void): ClusterPorts {
  let isTold = false;
  return {
    ...ports,
    api: {
      ...ports.api,
      recordEvent: async (event) => {
        const answer = await ports.api.recordEvent(event);
        if (answer.ok || answer.why.kind !== 'forbidden' || isTold) return answer;
        isTold = true;
        const permission = `create events in ${event.about.namespace ?? 'default'}`;
        onNote(
          `may not ${permission}: ${answer.why.message}. The change goes on; kubectl describe tells nothing of it. ` +
            'deploy/kubernetes/operator has the right.',
        );
        return answer;
      },
    },
  };
}
