/** `mica node ...` as `--help` shows it: the GPUs of this machine. What a command needs is loaded when it runs. */
import { Option, type Command } from 'commander';
import type { Dispatch } from './command.js';
import { act } from './mica-command.js';
import { examples, files, json, withDriver } from './options.js';

export function addNode(program: Command, dispatch: Dispatch): void {
  const node = program
    .command('node')
    .summary('the GPUs of this machine: see and change their slices')
    .description('Shows and changes the slices of the GPUs of this machine.');
  withDriver(node.command('show'))
    .description('Draws the GPUs of this machine as slices, with who uses them and pending MIG modes.')
    .option('--watch [seconds]', 'again and again until Ctrl-C; with --json a line each time (default: 2)')
    .addHelpText(
      'after',
      examples(
        'mica node show',
        'mica node show --watch 5',
        'mica node show --driver simulated --gpus h100:2',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/node/show.js')).showCommand));
  withChange(withWishes(withDriver(node.command('apply'))))
    .description(
      'Makes the GPUs of this machine what a Layout, a plan or a mig-parted file says, changing only what must ' +
        'change; what fails is rolled back. Exit 1: refused, nothing was touched. Exit 3: begun and not brought to ' +
        'the end.',
    )
    .addHelpText(
      'after',
      examples(
        'mica node apply -f layout.yaml --dry-run',
        'mica node apply -f config.yaml -c all-1g.24gb --drain 60s --yes',
        'mica node apply --plan plan.json --node gpu-1',
      ),
    )
    .action(act(dispatch, async () => (await import('./commands/node/apply.js')).applyCommand));
  withWishes(withDriver(node.command('assert')))
    .description('Says whether the GPUs of this machine are what the files say. Exit 1: some are not.')
    .addHelpText('after', examples('mica node assert -f config.yaml -c all-1g.24gb'))
    .action(act(dispatch, async () => (await import('./commands/node/assert.js')).assertCommand));
  withDriver(node.command('export'))
    .description('Prints what is cut on this machine now, as a Layout document or a mig-parted file.')
    .addOption(new Option('--format <format>', 'of the file').choices(['mica', 'mig-parted']).default('mica'))
    .option('--node <name>', 'mica: the name of this machine in the document (default: the host name)')
    .option('-c, --config <name>', 'mig-parted: the name of the configuration (default: current)')
    .addHelpText('after', examples('mica node export > layout.yaml', 'mica node export --format mig-parted'))
    .action(act(dispatch, async () => (await import('./commands/node/export.js')).exportCommand));
  withChange(withDriver(node.command('clear')))
    .description(
      'Destroys the slices of all GPUs of this machine, or of some. MIG stays on, unless --mig-off.',
    )
    .option('--only <gpus>', 'indexes of the GPUs, as in 0,2 (default: all that have MIG on)')
    .option('--mig-off', 'switch MIG off too')
    .addHelpText('after', examples('mica node clear --only 1 --mig-off --yes'))
    .action(act(dispatch, async () => (await import('./commands/node/clear.js')).clearCommand));
  withDriver(node.command('history'))
    .description('Lists the changes that Mica made on this machine, newest first.')
    .action(act(dispatch, async () => (await import('./commands/node/history.js')).historyCommand));
  withChange(withDriver(node.command('undo')))
    .description('Brings back the layouts before a change, by another change. Exit 1: refused.')
    .argument('[change]', 'its name in `mica node history` (default: the last one that changed anything)')
    .action(act(dispatch, async () => (await import('./commands/node/undo.js')).undoCommand));
  withDriver(node.command('restore'))
    .description(
      'Ends changes that were interrupted, then makes again what was last applied to each GPU: after a crash, a ' +
        'reboot or a reset. Destroys nothing that Mica did not make.',
    )
    .addOption(
      new Option(
        '--interrupted <way>',
        'back: to the layout before (default); forward: to the one wanted; accept: as it is now',
      ).choices(['back', 'forward', 'accept']),
    )
    .action(act(dispatch, async () => (await import('./commands/node/restore.js')).restoreCommand));
  withUnit(node.command('install-service'))
    .description(
      'Writes and enables a systemd unit that runs `mica node restore` at boot, after the NVIDIA driver is up and ' +
        'before containers and the desktop. Exit 1: refused, nothing was written.',
    )
    .option('--dry-run', 'only print the unit')
    .option(
      '--state-dir <dir>',
      'the state folder of the service (default: $MICA_STATE_DIR or /var/lib/mica)',
    )
    .option('--nvml-lib <path>', 'the library that the service loads (default: libnvidia-ml.so.1)')
    .option('--mica <path>', 'the program that the service runs (default: this one, by this Node)')
    .addHelpText('after', examples('mica node install-service --dry-run', 'sudo mica node install-service'))
    .action(
      act(dispatch, async () => (await import('./commands/node/install-service.js')).installServiceCommand),
    );
  withUnit(node.command('uninstall-service'))
    .description('Disables the systemd unit that install-service wrote, and takes it away.')
    .action(
      act(dispatch, async () => (await import('./commands/node/install-service.js')).uninstallServiceCommand),
    );
  withDriver(node.command('doctor'))
    .description(
      'Checks what must be true before the GPUs can be cut, and says what to do. Exit 1: something is bad.',
    )
    .action(act(dispatch, async () => (await import('./commands/node/doctor.js')).doctorCommand));
  withDriver(node.command('metrics'))
    .description('Prints the state of the slices for Prometheus: who is where, memory, stranded units.')
    .addHelpText('after', examples('mica node metrics > /var/lib/node_exporter/mica.prom'))
    .action(act(dispatch, async () => (await import('./commands/node/metrics.js')).metricsCommand));
}

/** What the GPUs shall be. */
function withWishes(command: Command): Command {
  return command
    .addOption(files('Layout documents, or one mig-parted file with -c'))
    .option('-c, --config <name>', 'the configuration of the mig-parted file')
    .option('--plan <file>', 'a plan that `mica plan --json` printed (- is standard input)')
    .option('--node <name>', 'which machine of the plan or the documents this is (default: the host name)');
}

/** What a change may do. */
function withChange(command: Command): Command {
  return command
    .option('--dry-run', 'only say what would be done, and who is in the way')
    .option('--wait [time]', 'wait for slices that must go to become free (default: 10m)')
    .option('--drain [grace]', 'ask processes in the way to end (SIGTERM) and wait that long (default: 30s)')
    .option('--kill', 'end them (SIGKILL) after the grace of --drain, instead of refusing')
    .option('--keep-going', 'each GPU for itself, instead of all or nothing')
    .option('--keep-mode', 'refuse where MIG would have to be switched on or off')
    .option(
      '--may-destroy <list>',
      'slices that Mica did not make and that may go: all, or GPU/PROFILE:START,...',
    )
    .option('-y, --yes', 'do not ask before slices or processes go');
}

function withUnit(command: Command): Command {
  return command
    .option('--unit-dir <dir>', 'where the unit file is (default: /etc/systemd/system)')
    .addOption(json());
}
