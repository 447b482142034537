/** The one error class and the catalogue of its codes: what went wrong, and what the user can do next. */

/** Exit codes of the CLI: 2 is the user's to mend (usage, input), 3 is ours or the machine's. */
type FailureExit = 2 | 3;

interface ErrorKind {
  readonly exit: FailureExit;
  /** What went wrong, in one sentence; the message of the error has the particulars. */
  readonly what: string;
  /** The next step, in one sentence. */
  readonly next: string;
}

/** Every code that Mica can fail with. `docs/reference/errors.md` is held equal to this table by a test. */
export const errorCatalogue = {
  'bad-usage': {
    exit: 2,
    what: 'The command line is not one that the command takes.',
    next: 'Run the command with --help to see its arguments.',
  },
  'unknown-model': {
    exit: 2,
    what: 'A GPU model is named that is not known, or by a name that several models share.',
    next: 'Run `mica catalogue` to see the GPU models that Mica knows.',
  },
  'no-mig': {
    exit: 2,
    what: 'Slices are asked of a card that has none, or whose placements were never published.',
    next: 'Run `mica catalogue` to see which models can be cut, and name one of them.',
  },
  'unreadable-file': {
    exit: 2,
    what: 'A file is not there, may not be read, or is not UTF-8 text.',
    next: 'Check the path and that you may read the file.',
  },
  'file-too-large': {
    exit: 2,
    what: 'A file is larger than Mica reads: 1 MiB of YAML or JSON, 16 MiB of CSV.',
    next: 'Split the file, or state equal replicas once with `count`.',
  },
  'bad-document': {
    exit: 2,
    what: 'A document breaks its format, or names something that is not there.',
    next: 'Mend the document at the place named; docs/reference/documents.md lists every key.',
  },
  'bad-csv': {
    exit: 2,
    what: 'A CSV lacks a column that is needed, or holds a value that cannot be.',
    next: 'Check that the file is the kind of CSV that the command reads, with its header line.',
  },
  'unwritable-folder': {
    exit: 3,
    what: 'A file of the answer could not be written.',
    next: 'Name a file or folder that you may write to.',
  },
  'unwritable-state': {
    exit: 3,
    what: 'A file that must outlive this process could not be written.',
    next: 'Check that you may write to the folder named, and that its disk has room.',
  },
  'damaged-state': {
    exit: 3,
    what: 'A file that Mica keeps holds something that Mica never wrote.',
    next: 'Move the file named out of the way and look at what is on the machine before changing it.',
  },
  'newer-state': {
    exit: 3,
    what: 'A file that Mica keeps was written by a newer version of Mica.',
    next: 'Install that version, or move the file named out of the way.',
  },
  'state-locked': {
    exit: 3,
    what: 'Another process holds something for longer than anybody should.',
    next: 'Wait for the process named, or end it.',
  },
  'lease-lost': {
    exit: 3,
    what: 'A lease was given to somebody else, since its holder was not heard of for too long.',
    next: 'Run it again; a process that is stopped or asleep cannot keep a slice.',
  },
  'needs-server': {
    exit: 3,
    what: 'A machine has tenants, and nobody hands out its slices to them.',
    next: 'Start `mica serve` as whoever runs the machine; `mica tenant list` shows the tenants.',
  },
  'foreign-process': {
    exit: 3,
    what: "A process was to work on somebody's slices that is not theirs, or not where it was said to be.",
    next: 'Start the program by `mica run` itself, outside of a container that counts its own processes.',
  },
  'needs-solver': {
    exit: 3,
    what: 'The question has no closed form, and no integer-program solver was at hand.',
    next: 'Install Mica again: the integer-program solver that it ships with is missing.',
  },
  'solver-failed': {
    exit: 3,
    what: 'The integer program was not solved to the end.',
    next: 'Run again with a smaller input, and report the input that fails.',
  },
  'no-nvml': {
    exit: 3,
    what: 'The NVIDIA management library (libnvidia-ml.so.1) could not be loaded.',
    next: 'Install the NVIDIA driver, name the library with --nvml-lib PATH, or try without GPUs: --driver simulated.',
  },
  'nvml-no-driver': {
    exit: 3,
    what: 'The NVIDIA management library is there, but the kernel driver is not loaded.',
    next: 'Load it (`modprobe nvidia`; `dmesg` says why it does not), or try without GPUs: --driver simulated.',
  },
  'nvml-no-permission': {
    exit: 3,
    what: 'This user may not talk to the NVIDIA driver.',
    next: 'Run as root or with access to /dev/nvidia*, or try without GPUs: --driver simulated.',
  },
  'nvml-version-mismatch': {
    exit: 3,
    what: 'The NVIDIA management library and the loaded kernel driver are of different versions, as after an update.',
    next: 'Reboot, or unload and load the driver again; or try without GPUs: --driver simulated.',
  },
  'nvml-failed': {
    exit: 3,
    what: 'The NVIDIA management library did not start, for a reason that NVML names by its code.',
    next: 'Check that `nvidia-smi` works on this machine, or try without GPUs: --driver simulated.',
  },
  'driver-failed': {
    exit: 3,
    what: 'The GPU driver was reached, and did not answer.',
    next: 'Check that `nvidia-smi` works on this machine; its kernel log (`dmesg`) says why where it does not.',
  },
  'bad-url': {
    exit: 2,
    what: 'An address is not one that can be asked.',
    next: 'Give a whole URL, as in http://prometheus.monitoring:9090.',
  },
  'server-unreachable': {
    exit: 3,
    what: 'A server that was named does not answer.',
    next: 'Check the address and that it can be reached from here, e.g. with curl; inside a cluster, forward its port first.',
  },
  'access-refused': {
    exit: 3,
    what: 'A server wants other credentials than it was given.',
    next: 'Give a bearer token, or a user and password, that may read; an expired token must be made anew.',
  },
  'not-the-api': {
    exit: 3,
    what: 'A server answers with something that its API never says, such as a web page.',
    next: 'Check the URL: a log-in page or a proxy may stand before the server, or its API has another path.',
  },
  'server-failed': {
    exit: 3,
    what: 'A server was reached, and could not answer the question.',
    next: 'Look at the server: its message is quoted. Try a shorter window, or again later.',
  },
  'no-gpu-metrics': {
    exit: 3,
    what: 'The source has no figures about GPUs in the window that was asked for.',
    next: 'Check that dcgm-exporter runs and is scraped (query DCGM_FI_DEV_FB_USED), and that the window is right.',
  },
  'no-cluster': {
    exit: 2,
    what: 'A command needs a Kubernetes cluster, and none was named.',
    next: 'Name the file that kubectl uses: --kubeconfig FILE, or $KUBECONFIG.',
  },
  'no-policies-kind': {
    exit: 3,
    what: 'The cluster does not know the kind MigPolicy, by which the controller is told what it may do.',
    next: 'Let an administrator run `kubectl apply -k deploy/kubernetes/controller`.',
  },
  'cannot-listen': {
    exit: 3,
    what: 'An address that was to be listened on cannot be had.',
    next: 'Name another address and port, or `none`, with --listen; `ss -ltnp` shows who listens where.',
  },
  'needs-yes': {
    exit: 2,
    what: 'Slices or processes would go, nobody could be asked, and nothing on the command line allows it.',
    next: 'Look at the change with --dry-run, then run it with --yes.',
  },
  internal: {
    exit: 3,
    what: 'Something happened that cannot happen.',
    next: 'This is a bug in Mica: please report it with the command and the input.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCatalogue;

/** A failure that stops the command. An expected "no" is a value with a `why`, never an error. */
export class MicaError extends Error {
  override readonly name = 'MicaError';
  readonly code: ErrorCode;
  /** The next step: the catalogue's, or a better one where the place of failure knows it. */
  readonly next: string;

  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly next?: string },
  ) {
    super(message, options);
    this.code = code;
    this.next = options?.next ?? errorCatalogue[code].next;
  }

  get exit(): FailureExit {
    return errorCatalogue[this.code].exit;
  }
}

/** Ends a switch over a tagged union: a new kind that is not handled is a type error here. */
export function unreachable(value: never): never {
  throw new MicaError('internal', `unexpected value ${JSON.stringify(value)}`);
}
