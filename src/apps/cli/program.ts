/**
 * The commands, their arguments and options: what `--help` shows and docs/reference/cli.md is made from. What a
 * command needs is loaded when it runs, so that help and version cost no more than this file.
 */
import type { Command, OutputConfiguration } from 'commander';
import { addAudit } from './audit-program.js';
import { addBatch } from './batch-program.js';
import { addCluster } from './cluster-program.js';
import type { Dispatch } from './command.js';
import { addController } from './controller-program.js';
import { addLint } from './lint-program.js';
import { act, MicaCommand } from './mica-command.js';
import { addLogs, addTop } from './look-program.js';
import { addNode } from './node-program.js';
import {
  assumeMemory,
  examples,
  files,
  gpu,
  headroom,
  json,
  modelHelp,
  speeds,
  withEmit,
  withoutMediaEngines,
} from './options.js';
import { addRun } from './run-program.js';
import { addServe } from './serve-program.js';
import { addTenant, addUsage } from './tenant-program.js';
import { version } from './version.js';

/** `output`: where help goes. Subcommands inherit it, and that mistakes are thrown, when they are added. */
export function buildProgram(dispatch: Dispatch, output: OutputConfiguration = {}): Command {
  const program = new MicaCommand('mica')
    .exitOverride()
    .configureOutput(output)
    .description('Cut NVIDIA GPUs into hardware-isolated MIG slices: size, pack with proof, plan, apply.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show the commands and options')
    .helpCommand('help [command]', 'show the arguments and options of a command')
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      `\nExit codes: 0 done or yes, 1 the answer is no, 2 wrong usage or input, 3 failure.`,
    )
    .addOption(json())
    .action(act(dispatch, async () => (await import('./commands/look-around.js')).lookAroundCommand));
  addCatalogue(program, dispatch);
  addSize(program, dispatch);
  addLayout(program, dispatch);
  addPack(program, dispatch);
  addPlan(program, dispatch);
  addAudit(program, dispatch);
  addLint(program, dispatch);
  addCluster(program, dispatch);
  addController(program, dispatch);
  addNode(program, dispatch);
  addRun(program, dispatch);
  addBatch(program, dispatch);
  addTop(program, dispatch);
  addLogs(program, dispatch);
  addServe(program, dispatch);
  addTenant(program, dispatch);
  addUsage(program, dispatch);
  addDemo(program, dispatch);
  return program;
}

function addCatalogue(program: Command, dispatch: Dispatch): void {
  program
    .command('catalogue')
    .summary('the GPU models that Mica knows, or one in full')
    .description(
      'Lists the GPU models that Mica knows; with MODEL, its profiles, placements, sources and how sure each is.',
    )
    .argument('[model]', modelHelp)
    .addOption(json())
    .addHelpText('after', examples('mica catalogue', 'mica catalogue rtx-pro-6000'))
    .action(act(dispatch, async () => (await import('./commands/catalogue.js')).catalogueCommand));
}

function addSize(program: Command, dispatch: Dispatch): void {
  program
    .command('size')
    .summary('which slices serve a workload, smallest first')
    .description(
      'Says which profiles serve one replica of a workload, smallest first, and why the others do not.',
    )
    .option('--memory <amount>', 'GPU memory that a replica uses at its peak, e.g. 20GiB')
    .option('--compute <share>', 'share of a card, e.g. 0.2, or of a model that it was measured on: 0.2:h100')
    .option('--gpu <model>', 'only this GPU model (default: every model)')
    .option('--gpus <n>', 'GPUs that one replica spans (whole ones, MIG off)')
    .option('--p2p', 'copies between GPUs (NCCL): whole GPUs, MIG off')
    .option('--media', 'needs a decoder, encoder or JPEG engine')
    .option('--graphics', 'needs graphics APIs (+gfx profiles)')
    .option('--shared', 'replicas may share a slice by time-slicing')
    .option('--count <n>', 'replicas, where they share slices (default: 1)')
    .addOption(headroom())
    .addOption(speeds())
    .addOption(assumeMemory())
    .addOption(withoutMediaEngines())
    .addOption(json())
    .addHelpText(
      'after',
      examples('mica size --memory 20GiB', 'mica size --memory 20GiB --compute 0.2 --gpu rtx-pro-6000'),
    )
    .action(act(dispatch, async () => (await import('./commands/size.js')).sizeCommand));
}

function addLayout(program: Command, dispatch: Dispatch): void {
  const layout = program
    .command('layout')
    .summary('what fits on one GPU: check, list, draw')
    .description('Answers questions about the layouts of one GPU.');
  layout
    .command('check')
    .description('Says whether these profiles fit on one GPU together, and where. Exit 1: they do not.')
    .argument('[model]', modelHelp)
    .argument('[profiles...]', 'PROFILE or PROFILE:START, as nvidia-smi writes it')
    .addOption(gpu())
    .option('--taken <placements>', 'placements that are there already: PROFILE:START,...')
    .addOption(files('Layout documents to check (with Fleet documents for the models, or --gpu)'))
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'mica layout check h100 3g.40gb 3g.40gb',
        'mica layout check rtx-pro-6000 2g.48gb --taken 1g.24gb:3',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/layout-check.js')).layoutCheckCommand));
  layout
    .command('list')
    .description(
      'Lists the layouts of a GPU model to which nothing can be added, and how many layouts there are.',
    )
    .argument('[model]', modelHelp)
    .addOption(gpu())
    .option('--all', 'with attribute profiles (+me, +gfx, -me, +me.all)')
    .addOption(json())
    .addHelpText('after', examples('mica layout list rtx-pro-6000'))
    .action(act(dispatch, async () => (await import('./commands/layout-list.js')).layoutListCommand));
  layout
    .command('draw')
    .description('Draws a layout, with the units that nothing can use any more. Exit 1: it does not fit.')
    .argument('[model]', modelHelp)
    .argument('[profiles...]', 'PROFILE or PROFILE:START; none: the empty card')
    .addOption(gpu())
    .addOption(files('Layout documents to draw (with Fleet documents for the models, or --gpu)'))
    .addOption(json())
    .addHelpText('after', examples('mica layout draw rtx-pro-6000 1g.24gb:0 1g.24gb:3 2g.48gb:6'))
    .action(act(dispatch, async () => (await import('./commands/layout-draw.js')).layoutDrawCommand));
}

function addPack(program: Command, dispatch: Dispatch): void {
  program
    .command('pack')
    .summary('many slices on the fewest GPUs of one model, with proof')
    .description(
      'Packs slices on the fewest GPUs of one model and proves that fewer cannot do. Exit 1: something is left over.',
    )
    .argument('[model]', modelHelp)
    .argument('[demand...]', 'PROFILE=COUNT')
    .addOption(gpu())
    .option('--gpus <n>', 'GPUs at hand (default: as many as needed)')
    .addOption(json())
    .addHelpText(
      'after',
      examples('mica pack h100 3g.40gb=10 1g.10gb=25', 'mica pack rtx-pro-6000 2g.48gb=5 1g.24gb=9 --gpus 4'),
    )
    .action(act(dispatch, async () => (await import('./commands/pack.js')).packCommand));
}

function addPlan(program: Command, dispatch: Dispatch): void {
  withEmit(program.command('plan'))
    .summary('Fleet and Needs in; layouts, costs, proof and files to apply out')
    .description(
      'Plans the slices of a fleet for what its workloads need, beside the same demand on whole and on time-sliced ' +
        'GPUs. Exit 1: something has no place.',
    )
    .addOption(
      files(
        'Fleet and Needs documents, YAML or JSON (- is standard input), or an openb pod list as CSV',
      ).makeOptionMandatory(),
    )
    .addOption(headroom())
    .addOption(speeds())
    .addOption(assumeMemory())
    .addOption(withoutMediaEngines())
    .option('--prices <file>', 'Prices documents that win over the built-in price table')
    .option('--uniform', 'slices of one size on every machine, as GKE node pools have them')
    .option('--all', 'draw every GPU, not only the first ones')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'mica plan -f fleet.yaml -f needs.yaml',
        'mica plan -f fleet.yaml -f openb_pod_list_default.csv --emit gpu-operator --out out/',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/plan.js')).planCommand));
}

function addDemo(program: Command, dispatch: Dispatch): void {
  program
    .command('demo')
    .summary('the whole way on a real production trace')
    .description(
      'Plans the bundled openb trace and a small inference fleet, and says where the files to apply are.',
    )
    .option('--out <dir>', 'folder for the emitted files (default: a new temporary folder)')
    .addOption(json())
    .action(act(dispatch, async () => (await import('./commands/demo.js')).demoCommand));
}
