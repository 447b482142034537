/** What a server says, a line for each event: for people, or as JSON for programs. */
import type { Log, ServerEvent } from '#apps/server/events';
import { onOneLine, type Host } from '../../terminal/screen.js';

export function logOn({ err }: Host, json: boolean, now: () => Date = () => new Date()): Log {
  return (event) => {
    const time = now().toISOString();
    const line = json ? JSON.stringify({ time, ...event }) : `${time} ${onOneLine(inWords(event))}`;
    err.write(`${line}\n`);
  };
}

function inWords(event: ServerEvent): string {
  switch (event.kind) {
    case 'started':
      return `listening on ${event.socket} as process ${event.pid}`;
    case 'stopped':
      return `stopped: ${event.why}`;
    case 'granted': {
      const { lease, pid, slices, command } = event;
      return `${whoOf(event)} leased ${slices.join(' ')} as ${lease} to process ${pid}: ${command.join(' ')}`;
    }
    case 'released':
      return `${whoOf(event)} gave back ${event.lease}`;
    case 'ended':
      return `${whoOf(event)} ended ${event.lease}`;
    case 'reclaimed':
      return `took back ${event.lease} of ${whoOf(event)}: its process ${event.pid} is gone or silent`;
    case 'quarantined':
      return `${event.slice} is kept from everybody: ${event.why}`;
    case 'reopened':
      return `${event.slice} can be leased again`;
    case 'tenant':
      return `tenant ${event.name} ${event.what}`;
    case 'refused':
      return `refused process ${event.pid ?? '?'} of user ${event.uid ?? '?'}: ${event.why}`;
    case 'failed':
      return `failed: ${event.why}`;
  }
}

function whoOf({ tenant }: { readonly tenant: string | null }): string {
  return tenant ?? 'the operator';
}
