/** Arguments and options that several commands share, each with the one description that help shows. */
import { Option, type Command } from 'commander';

export const modelHelp = 'GPU model: key or alias, e.g. h100 or rtx-pro-6000';

export function json(): Option {
  return new Option('--json', 'print the answer as JSON');
}

export function gpu(): Option {
  return new Option('--gpu <model>', 'GPU model, instead of MODEL as the first argument');
}

export function headroom(): Option {
  return new Option(
    '--headroom <share>',
    'added to every memory figure (default: 0.1, or as mica.yaml says)',
  );
}

export function speeds(): Option {
  return new Option(
    '--speeds <list>',
    'relative speeds of cards, to convert compute shares: h100=2,a100-80gb=1',
  );
}

export function assumeMemory(): Option {
  return new Option(
    '--assume-memory <share>',
    'where usable memory is not published, count on this share of the GB in the name, e.g. 0.88',
  );
}

export function withoutMediaEngines(): Option {
  return new Option('--without-media-engines', 'take -me profiles too, for needs without media');
}

export function files(description: string): Option {
  const gather = (file: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before ?? []),
    file,
  ];
  return new Option('-f, --file <file>', `${description}; may be repeated`).argParser(gather);
}

export function from(): Option {
  return new Option(
    '--from <file>',
    'instead of a cluster: the output of `kubectl get nodes,pods -A -o json` (- is standard input)',
  );
}

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

export const emitTargetNames = ['vm', 'mig-parted', 'gke', 'gpu-operator', 'bottlerocket', 'dra'] as const;

/** What becomes of a plan. */
export function withEmit(command: Command, strategyOption = '--strategy'): Command {
  return command
    .addOption(
      new Option('--emit <target>', 'write the plan for a tool that applies it').choices(emitTargetNames),
    )
    .option('--out <dir>', 'folder for the emitted files (default: print them)')
    .option('--image <image>', 'emit: container image of the workloads')
    .option('--namespace <name>', 'emit: Kubernetes namespace of the workloads')
    .option('--project <id>', 'emit gke: Google Cloud project')
    .option('--cluster <name>', 'emit gke: cluster')
    .option('--location <place>', 'emit gke: zone or region of the cluster')
    .option('--node-zone <zone>', 'emit gke: zone of the GPU nodes of a regional cluster')
    .addOption(
      new Option('--attribute-spelling <sign>', 'emit gke: how sizes with attributes are spelled').choices([
        '.',
        '+',
      ]),
    )
    .addOption(
      new Option(`${strategyOption} <strategy>`, 'emit gpu-operator: MIG strategy').choices([
        'mixed',
        'single',
      ]),
    )
    .option('--operator-namespace <name>', 'emit gpu-operator: namespace of the operator');
}

/** Which machine: its own GPUs, or the server that hands out its slices. */
export function withDesk(command: Command): Command {
  return withDriver(command)
    .option('--socket <path>', 'of `mica serve` (default: where it usually is; or $MICA_SOCKET)')
    .option('--token-file <file>', 'what to show the server (default: $MICA_TOKEN, or your mica/token file)');
}

/** Which GPUs of which machine. */
export function withDriver(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--driver <driver>',
        'nvml: the GPUs of this machine (default); simulated: ones in a file',
      ).choices(['nvml', 'simulated']),
    )
    .option('--nvml-lib <path>', 'nvml: the library to load (default: libnvidia-ml.so.1)')
    .option('--gpus <list>', 'simulated: which GPUs a new machine has, MODEL:COUNT,...')
    .option('--state <file>', 'simulated: the file of the machine (default: in the state folder)')
    .option('--latency <factor>', 'simulated: how long calls take; 1 is realistic (default: 0)')
    .addOption(json());
}
