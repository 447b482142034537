/**
 * The script that cuts a node's GPUs while it boots, before the kubelet joins. It runs as user data at the first boot
 * and, since slices are gone after a reboot, as a unit before the kubelet at every later one.
 */
import { asArgument, type Placement } from '#core/geometry/placement';

/** Layouts by GPU index; an empty one leaves the GPU whole. */
export function bootScript(gpus: readonly (readonly Placement[])[]): string {
  const layouts = gpus.map((layout) => quoted(largeFirst(layout).map(asArgument).join(',')));
  return `#!/usr/bin/env bash\n${header}\nlayouts=(${layouts.join(' ')})\n${body}`;
}

/** Small slices first could take the only place of a large one if a driver ever ignored the start. */
function largeFirst(layout: readonly Placement[]): readonly Placement[] {
  return [...layout].sort((a, b) => b.size - a.size || a.start - b.start);
}

/** One word for the shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The line on the console that says how it went, for whoever cannot log in. */
export const consoleMark = 'mica-slices:';

const header = `\
# Cuts the GPUs of this node into slices before the kubelet joins. Made by Mica; a second run changes nothing.
# What goes wrong is on the console ("${consoleMark}"), in /var/log/mica-slices.log, and the node keeps its startup taint.
set -uo pipefail
export LC_ALL=C
root=\${MICA_ROOT:-}
tries=\${MICA_TRIES:-60}
# By GPU index, PROFILE:START of each slice.`;

const body = `\
state=$root/var/lib/mica-slices
unit=$root/etc/systemd/system/mica-slices.service
mkdir -p "$state" "$root/run/mica-slices" "$root/var/log" "\${unit%/*}"

say() {
  printf '${consoleMark} %s\\n' "$1" | tee -a "$root/var/log/mica-slices.log" "$root/run/mica-slices/said"
  if [[ -w $root/dev/console ]]; then printf '${consoleMark} %s\\n' "$1" >"$root/dev/console"; fi
}

# A node that had its slices once has no taint any more: there the kubelet must not start without them.
fail() {
  say "failed: \${1//$'\\n'/; }"
  services start
  if [[ -e $state/was-cut ]]; then exit 1; fi
  exit 0
}

services() {
  local service
  for service in nvidia-persistenced dcgm nvsm; do
    if systemctl cat "$service" >/dev/null 2>&1; then systemctl "$1" "$service" >/dev/null 2>&1; fi
  done
  return 0
}

# Slices are gone after a reboot, and user data runs only once. In the first boot the unit has nothing to do.
install_unit() {
  : >"$root/run/mica-slices/first-boot"
  if [[ $0 != "$state/cut" ]]; then cp "$0" "$state/cut"; fi
  cat >"$unit" <<'UNIT'
[Unit]
Description=Cut the GPUs into slices before the kubelet starts
ConditionPathExists=!/run/mica-slices/first-boot
After=nvidia-fabricmanager.service
Before=kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/bash /var/lib/mica-slices/cut --later-boot

[Install]
RequiredBy=kubelet.service
UNIT
  systemctl enable mica-slices.service >/dev/null 2>&1 || say 'warning: the unit for later boots could not be enabled'
}

wait_for_driver() {
  local said='' try
  for ((try = 0; try < tries; try += 1)); do
    said=$(nvidia-smi -L 2>&1) && return 0
    sleep 2
  done
  fail "the NVIDIA driver does not answer: $said"
}

mode_of() { nvidia-smi -i "$1" --query-gpu=mig.mode.current --format=csv,noheader 2>&1; }

# Ampere takes the mode at a reset, and in a virtual machine often only at a reboot: one is tried, never two.
turn_on() {
  local said
  [[ $(mode_of "$1") == Enabled ]] && return 0
  said=$(nvidia-smi -i "$1" -mig 1 2>&1) || fail "GPU $1: MIG cannot be turned on: $said"
  [[ $(mode_of "$1") == Enabled ]] && return 0
  said+="; $(nvidia-smi --gpu-reset -i "$1" 2>&1)"
  [[ $(mode_of "$1") == Enabled ]] && return 0
  if [[ -e $state/rebooted ]]; then fail "GPU $1: MIG stays off after a reboot: $said"; fi
  : >"$state/rebooted"
  say "GPU $1: MIG needs a reboot"
  systemctl reboot
  exit 0
}

# instances GPU: PROFILE:START:ID of each GPU instance, one a line.
instances() {
  nvidia-smi mig -i "$1" -lgi 2>&1 | awk -v gpu="$1" '$1 == "|" && $2 == gpu && $3 == "MIG" { split($7, at, ":"); print $4 ":" at[1] ":" $6 }'
}

devices() {
  nvidia-smi -L 2>&1 | awk -v gpu="GPU $1:" '/^GPU / { here = index($0, gpu) == 1 } here && $1 == "MIG" { count += 1 } END { print count + 0 }'
}

sorted() { tr ', ' '\\n' | sed '/^$/d' | sort; }

is_cut() {
  local have want
  have=$(instances "$1" | sed 's/:[^:]*$//' | sorted)
  want=$(sorted <<<"$2")
  [[ $have == "$want" && $(devices "$1") == $(wc -l <<<"$want") ]]
}

# Nothing runs on the node yet, so what is there and not wanted can go.
clear() {
  local id said
  for id in $(instances "$1" | sed 's/.*://'); do
    said=$(nvidia-smi mig -i "$1" -gi "$id" -dci 2>&1) || [[ $said == *'Not Found'* ]] || fail "GPU $1: $said"
    said=$(nvidia-smi mig -i "$1" -gi "$id" -dgi 2>&1) || fail "GPU $1: $said"
  done
}

cut() {
  local gpu=$1 layout=$2 said
  if [[ -z $layout ]]; then return 0; fi
  turn_on "$gpu"
  if is_cut "$gpu" "$layout"; then return 0; fi
  clear "$gpu"
  said=$(nvidia-smi mig -i "$gpu" -cgi "$layout" -C 2>&1) || fail "GPU $gpu: $said"
  is_cut "$gpu" "$layout" || fail "GPU $gpu does not have its slices: $(instances "$gpu" | tr '\\n' ' ')"
}

if [[ \${1:-} != --later-boot ]]; then install_unit; fi
wait_for_driver
there=$(nvidia-smi -L 2>&1 | grep -c '^GPU ')
if [[ $there != "\${#layouts[@]}" ]]; then fail "this node has $there GPUs, and \${#layouts[@]} were planned"; fi
services stop
for gpu in "\${!layouts[@]}"; do cut "$gpu" "\${layouts[$gpu]}"; done
services start
: >"$state/was-cut"
say "done: \${layouts[*]}"
`;
