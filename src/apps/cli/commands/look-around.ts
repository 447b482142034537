/** `mica` alone: what is here, and what to type next. */
import { lookAround, type Surroundings } from '#adapters/system/surroundings';
import type { AnswerExit, Context } from '../command.js';
import { printJson } from '../terminal/json.js';

interface Suggestion {
  readonly command: string;
  readonly why: string;
}

export async function lookAroundCommand({ screen, host, json }: Context): Promise<AnswerExit> {
  const found = await lookAround(host.env);
  const suggestions = suggest(found);
  if (json) {
    printJson(screen, { found, suggestions });
    return 0;
  }
  const { bold, dim } = screen.style;
  const line = (what: string, where: string | null): string =>
    `  ${what.padEnd(12)}${where ?? dim('not found')}`;
  const width = Math.max(...suggestions.map(({ command }) => command.length));
  screen.print(
    [
      'Mica cuts NVIDIA GPUs into hardware-isolated MIG slices.',
      '',
      'Found here:',
      line('GPU', found.gpu),
      line('Kubernetes', found.kubeconfig),
      line('Prometheus', found.prometheus),
      '',
      'Next:',
      ...suggestions.map(({ command, why }) => `  ${bold(command.padEnd(width))}  ${why}`),
      '',
      'All commands: mica --help',
    ].join('\n'),
  );
  return 0;
}

/** The most useful first: what is here decides. */
export function suggest({ gpu, kubeconfig, prometheus }: Surroundings): readonly Suggestion[] {
  return [
    ...(prometheus === null
      ? []
      : [
          {
            command: `mica audit --prometheus ${prometheus}`,
            why: 'what your GPUs really do, and what slices would save',
          },
        ]),
    ...(gpu === null
      ? []
      : [
          { command: 'mica node show', why: 'the GPUs of this machine as slices, and who is in them' },
          { command: 'mica node doctor', why: 'can they be cut, and if not, what to do' },
        ]),
    ...(kubeconfig === null
      ? []
      : [
          {
            command: 'mica plan -f fleet.yaml -f needs.yaml --emit gpu-operator',
            why: 'a plan as files for your cluster',
          },
        ]),
    { command: 'mica demo', why: 'see the whole way on a real production trace; needs nothing' },
    {
      command: 'mica audit --csv usage.csv',
      why: 'which slice each workload needs, from what it used; docs/guides/audit.md',
    },
    { command: 'mica size --memory 20GiB', why: 'which slice a workload of that size needs' },
    {
      command: 'mica plan -f fleet.yaml -f needs.yaml',
      why: 'plan your own GPUs; docs/guides/first-plan.md shows the files',
    },
  ];
}
