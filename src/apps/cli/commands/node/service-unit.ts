/** The systemd unit that makes the slices again after a boot, as text. */

export const unitName = 'mica-restore.service';

/** Where systemd reads units that an administrator made. */
export const defaultUnitFolder = '/etc/systemd/system';

export interface UnitSettings {
  /** The program and its first arguments; the program by its absolute path. */
  readonly mica: readonly string[];
  /** Holds the journal of changes. */
  readonly stateFolder: string;
  readonly nvmlLibrary?: string;
}

/** The first line of every unit that Mica wrote: a file without it is somebody else's. */
export const unitMark =
  '# Written by `mica node install-service`; `mica node uninstall-service` takes it away.';

/** What the slices need: cards that are set up and stay so. NVIDIA's own MIG service waits for the same. */
const before = ['nvidia-persistenced.service', 'nvidia-fabricmanager.service'];

/** Who would hold the cards, or count the slices before they are there. Units that a machine has not do no harm. */
const after = [
  'nvidia-gpu-reset.target',
  'nvidia-dcgm.service nvsm.service nvidia-cdi-refresh.service',
  'docker.service containerd.service crio.service',
  'kubelet.service k3s.service k3s-agent.service rke2-server.service rke2-agent.service',
  'slurmd.service nomad.service display-manager.service',
];

export function unitText({ mica, stateFolder, nvmlLibrary }: UnitSettings): string {
  const library = nvmlLibrary === undefined ? [] : ['--nvml-lib', nvmlLibrary];
  const [program = '', ...given] = mica;
  // systemd fills in variables in arguments, but not in the program.
  const rest = [...given, 'node', 'restore', ...library].map((text) => text.replaceAll('$', '$$$$'));
  const command = [program, ...rest].map(asWord).join(' ');
  return `${unitMark}
# To change something, run that with other options, or make a drop-in: \`systemctl edit ${unitName}\`.
[Unit]
Description=Mica: make the MIG slices again that were last applied
After=${before.join(' ')}
${after.map((units) => `Before=${units}`).join('\n')}
RequiresMountsFor=${asWord(stateFolder)}
# Where nothing was ever applied there is nothing to restore.
ConditionPathExists=${asSetting(stateFolder)}/journal

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${command}
Environment=${asWord(`MICA_STATE_DIR=${stateFolder}`)}
TimeoutStartSec=10min

# Left out, since it would break what this is for: PrivateDevices and ProtectClock close /dev/nvidia*; with
# ProtectKernelModules and ProtectKernelTunables the driver cannot be loaded, nor a GPU be reset; with a UMask
# users could not open /dev/nvidia-caps; with MemoryDenyWriteExecute no JavaScript engine starts.
ProtectSystem=strict
ReadWritePaths=${asWord(stateFolder)}
ProtectHome=read-only
NoNewPrivileges=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
RestrictAddressFamilies=AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
CapabilityBoundingSet=~CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_SYS_BOOT CAP_SYS_PTRACE CAP_SYS_TIME

[Install]
WantedBy=multi-user.target
`;
}

/** One word of a list: in quotes where it holds more than a plain path does. */
function asWord(text: string): string {
  if (/^[\w/.:=@+,-]+$/.test(text)) return text;
  return `"${asSetting(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A percent sign begins a name that systemd fills in. */
function asSetting(text: string): string {
  return text.replaceAll('%', '%%');
}
