#!/usr/bin/env bash
# Cuts the GPUs of node p5.48xlarge-1 into the slices of a Mica plan, then proves that they are there.
#
# GPU 0  NVIDIA H100 80GB HBM3 (SXM5)
#     1g.10gb:0: embed
#     1g.10gb:1: embed
#     1g.10gb:2: embed
#     1g.10gb:3: embed
#     1g.10gb:4: embed
#     1g.10gb:5: embed
#     1g.10gb:6: embed
# GPU 1  NVIDIA H100 80GB HBM3 (SXM5)
#     1g.10gb:0: embed
#     1g.10gb:1: embed
#     1g.10gb:2: embed
#     1g.10gb:3: embed
#     1g.10gb:4: embed
#     1g.10gb:5: embed
#     1g.10gb:6: embed
# GPU 2  NVIDIA H100 80GB HBM3 (SXM5)
#     3g.40gb:4: rank
#     2g.20gb:2: rank-small
#     1g.10gb+me:0: transcode
# GPU 4  NVIDIA H100 80GB HBM3 (SXM5)
#     whole card, MIG off: tune
# GPU 5  NVIDIA H100 80GB HBM3 (SXM5)
#     whole card, MIG off: tune
# GPU 6  NVIDIA H100 80GB HBM3 (SXM5)
#     whole card, MIG off: tune
# GPU 7  NVIDIA H100 80GB HBM3 (SXM5)
#     whole card, MIG off: tune
#
# Usage: bash SCRIPT [--dry-run]   (root, unless --dry-run, which prints the changes and makes none)
# Nothing is changed before every check of every GPU has passed. A second run changes nothing.
# Positions are placement units of the card, as in `nvidia-smi mig -lgipp`.
# Exit: 0 done, 1 refused or failed (it says what, why and what next), 2 usage.

set -euo pipefail
export LC_ALL=C

# The plan, by GPU index. Slices are PROFILE:START:SIZE, in the order in which they are made.
gpus=(0 1 2 4 5 6 7)
declare -A card pci_ids min_driver min_vbios needs_display_off resets want_mode may_disable wanted may_destroy
card[0]='NVIDIA H100 80GB HBM3 (SXM5)'
pci_ids[0]=2330
min_driver[0]=525.85.12
min_vbios[0]=''
needs_display_off[0]=no
resets[0]=no
want_mode[0]=Enabled
may_disable[0]=no
wanted[0]='1g.10gb:0:1 1g.10gb:1:1 1g.10gb:2:1 1g.10gb:3:1 1g.10gb:4:1 1g.10gb:5:1 1g.10gb:6:1'
may_destroy[0]=''
card[1]='NVIDIA H100 80GB HBM3 (SXM5)'
pci_ids[1]=2330
min_driver[1]=525.85.12
min_vbios[1]=''
needs_display_off[1]=no
resets[1]=no
want_mode[1]=Enabled
may_disable[1]=no
wanted[1]='1g.10gb:0:1 1g.10gb:1:1 1g.10gb:2:1 1g.10gb:3:1 1g.10gb:4:1 1g.10gb:5:1 1g.10gb:6:1'
may_destroy[1]=''
card[2]='NVIDIA H100 80GB HBM3 (SXM5)'
pci_ids[2]=2330
min_driver[2]=525.85.12
min_vbios[2]=''
needs_display_off[2]=no
resets[2]=no
want_mode[2]=Enabled
may_disable[2]=no
wanted[2]='3g.40gb:4:4 2g.20gb:2:2 1g.10gb+me:0:1'
may_destroy[2]=''
card[4]='NVIDIA H100 80GB HBM3 (SXM5)'
pci_ids[4]=2330
min_driver[4]=''
min_vbios[4]=''
needs_display_off[4]=no
resets[4]=no
want_mode[4]=Disabled
may_disable[4]=no
wanted[4]=''
may_destroy[4]=''
card[5]='NVIDIA H100 80GB HBM3 (SXM5)'
pci_ids[5]=2330
min_driver[5]=''
min_vbios[5]=''
needs_display_off[5]=no
resets[5]=no
want_mode[5]=Disabled
may_disable[5]=no
wanted[5]=''
may_destroy[5]=''
card[6]='NVIDIA H100 80GB HBM3 (SXM5)'
pci_ids[6]=2330
min_driver[6]=''
min_vbios[6]=''
needs_display_off[6]=no
resets[6]=no
want_mode[6]=Disabled
may_disable[6]=no
wanted[6]=''
may_destroy[6]=''
card[7]='NVIDIA H100 80GB HBM3 (SXM5)'
pci_ids[7]=2330
min_driver[7]=''
min_vbios[7]=''
needs_display_off[7]=no
resets[7]=no
want_mode[7]=Disabled
may_disable[7]=no
wanted[7]=''
may_destroy[7]=''

# fail WHAT WHY NEXT: every failure says all three and ends the script.
fail() {
  printf 'error: %s\n  why:  %s\n  next: %s\n' "$1" "$2" "$3" >&2
  exit 1
}

# query GPU FIELDS: one line of nvidia-smi's CSV.
query() {
  local said
  said=$(nvidia-smi -i "$1" --query-gpu="$2" --format=csv,noheader 2>&1) ||
    fail "GPU $1 cannot be read" "$said" 'Run nvidia-smi. Is the driver loaded, and does this node have that GPU?'
  printf '%s\n' "$said"
}

# read_mode GPU: the MIG mode now and after the next reset, each Enabled, Disabled or [N/A].
declare -A mode_now mode_next
read_mode() {
  local said
  said=$(query "$1" mig.mode.current,mig.mode.pending)
  mode_now[$1]=${said%%, *}
  mode_next[$1]=${said##*, }
}

# instances GPU: the GPU instances that are there, one a line, as PROFILE:START:SIZE:ID. Ids are read, never computed.
instances() {
  local said status=0 rows
  said=$(nvidia-smi mig -i "$1" -lgi 2>&1) || status=$?
  case $said in *'No GPU instances found'* | *'No MIG-enabled devices found'*) return 0 ;; esac
  rows=$(awk -v gpu="$1" '$1 == "|" && $2 == gpu && $3 == "MIG" { print $4 ":" $7 ":" $6 }' <<<"$said")
  if ((status != 0)) || [[ -z $rows ]]; then
    fail "the GPU instances of GPU $1 cannot be read" "$said" "Run nvidia-smi mig -i $1 -lgi and look."
  fi
  printf '%s\n' "$rows"
}

# devices GPU: the profiles of its MIG devices as workloads see them, one a line.
devices() {
  local said
  said=$(nvidia-smi -L 2>&1) || fail 'nvidia-smi -L fails' "$said" 'Look at the kernel log (dmesg) for NVRM lines.'
  awk -v gpu="GPU $1:" '/^GPU / { here = index($0, gpu) == 1 } here && $1 == "MIG" { print $2 }' <<<"$said"
}

# in_list ITEM LIST
in_list() { [[ " $2 " == *" $1 "* ]]; }

# older A B: version A comes before version B. A vBIOS counts in hex of fixed width, so it compares as text.
older() { [[ $1 != "$2" && $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }
older_hex() { [[ ${1^^} < ${2^^} ]]; }

declare -A keep destroy create

check_node() {
  if [[ $dry_run == no && $(id -u) != 0 ]]; then
    fail 'this must run as root' 'cutting a GPU needs administrator rights' 'Run it with sudo, or with --dry-run to look.'
  fi
  command -v nvidia-smi >/dev/null ||
    fail 'nvidia-smi is not there' 'the NVIDIA driver is not installed, or not in PATH' 'Install the driver first.'
}

# Is it the card of the plan, and can it do MIG?
check_card() {
  local gpu=$1 said device driver vbios name
  said=$(query "$gpu" pci.device_id,driver_version,vbios_version,name)
  IFS=, read -r device driver vbios name <<<"${said//, /,}"
  if [[ -n ${pci_ids[$gpu]} ]] && ! in_list "${device:2:4}" "${pci_ids[$gpu]}"; then
    fail "GPU $gpu is not the planned ${card[$gpu]}" \
      "it is a $name, PCI device id ${device:2:4}; the plan is for ${pci_ids[$gpu]}" \
      'Run the script of this node, or plan again for the cards that it has.'
  fi
  if [[ -n ${min_driver[$gpu]} ]] && older "$driver" "${min_driver[$gpu]}"; then
    fail "the driver is too old for MIG on GPU $gpu" "it is $driver, MIG on a ${card[$gpu]} needs ${min_driver[$gpu]}" \
      'Install a newer driver.'
  fi
  if [[ -n ${min_vbios[$gpu]} ]] && older_hex "$vbios" "${min_vbios[$gpu]}"; then
    fail "the vBIOS of GPU $gpu is too old for MIG" "it is $vbios, MIG needs ${min_vbios[$gpu]}" \
      'Ask the card maker for a vBIOS update.'
  fi
}

# Sorts the present instances of a GPU into those to keep, to destroy, and those that forbid going on.
check_layout() {
  local gpu=$1 present='' instance place foreign=''
  keep[$gpu]='' destroy[$gpu]='' create[$gpu]=''
  if [[ ${mode_now[$gpu]} == Enabled ]]; then present=$(instances "$gpu"); fi
  for instance in $present; do
    place=${instance%:*}
    if in_list "$place" "${wanted[$gpu]}"; then
      keep[$gpu]+=" $place"
    elif in_list "$place" "${may_destroy[$gpu]}"; then
      destroy[$gpu]+=" $instance"
    else
      foreign+=" $place"
    fi
  done
  if [[ -n $foreign ]]; then
    fail "GPU $gpu has instances that the plan does not know:$foreign" \
      'somebody may be using them, and the plan does not say to destroy them' \
      'Plan again with these slices in the fleet (layouts), or destroy them yourself.'
  fi
  for place in ${wanted[$gpu]}; do
    in_list "$place" "${keep[$gpu]}" || create[$gpu]+=" $place"
  done
}

check_mode() {
  local gpu=$1
  read_mode "$gpu"
  if [[ ${mode_now[$gpu]} == '[N/A]' && ${want_mode[$gpu]} == Enabled ]]; then
    if [[ ${needs_display_off[$gpu]} == yes ]]; then
      fail "GPU $gpu offers no MIG" 'a workstation card in graphics mode has none' \
        "Unload the driver, run displaymodeselector --gpumode compute for this card, reboot, run this again."
    fi
    fail "GPU $gpu offers no MIG" 'card, driver or virtual machine does not support it' 'Check the card and the driver.'
  fi
  if [[ ${mode_next[$gpu]} != "${mode_now[$gpu]}" && ${mode_next[$gpu]} != "${want_mode[$gpu]}" ]]; then
    fail "GPU $gpu is about to change its MIG mode to ${mode_next[$gpu]}" 'somebody else asked for that' \
      'Reset the GPU or reboot, run this again.'
  fi
  if [[ ${mode_now[$gpu]} == Enabled && ${want_mode[$gpu]} == Disabled && ${may_disable[$gpu]} == no ]]; then
    fail "MIG is on on GPU $gpu" 'the plan takes the card whole, and does not say to turn MIG off' \
      "Turn it off yourself (nvidia-smi -i $gpu -mig 0), or plan again with the card as it is."
  fi
}

needs_mode_change() { [[ ${mode_now[$1]} != "${want_mode[$1]}" && ${mode_now[$1]} != '[N/A]' ]]; }

# The mode changes, and the first instance is made, only on an idle GPU. Beside kept slices others may go on working.
check_idle() {
  local gpu=$1 users
  if [[ -n ${keep[$gpu]} ]] || { ! needs_mode_change "$gpu" && [[ -z ${destroy[$gpu]}${create[$gpu]} ]]; }; then
    return 0
  fi
  users=$(nvidia-smi -i "$gpu" --query-compute-apps=pid,process_name --format=csv,noheader 2>&1) ||
    fail "the processes on GPU $gpu cannot be read" "$users" 'Run nvidia-smi and look.'
  users=$(awk -F, '$1 ~ /^[0-9]+$/' <<<"$users")
  if [[ -n $users ]]; then
    fail "GPU $gpu is in use" "these processes run on it: ${users//$'\n'/; }" 'Stop them, then run this again.'
  fi
}

check_gpu() {
  check_card "$1"
  check_mode "$1"
  check_layout "$1"
  check_idle "$1"
  printf 'GPU %s: MIG %s; keep:%s; destroy:%s; create:%s\n' \
    "$1" "${mode_now[$1]}" "${keep[$1]:- nothing}" "${destroy[$1]:- nothing}" "${create[$1]:- nothing}"
}

# change WHAT NEXT COMMAND...: prints and runs a command that changes the GPU; WHAT and NEXT are for its failure.
change() {
  local what=$1 next=$2 said
  shift 2
  printf '+ %s\n' "$*"
  if [[ $dry_run == yes ]]; then return 0; fi
  said=$("$@" 2>&1) || fail "$what" "$said" "$next"
  if [[ -n $said ]]; then printf '%s\n' "$said"; fi
}

# set_mode GPU: the new mode must be in force, not pending, before anything else happens.
set_mode() {
  local gpu=$1 want=${want_mode[$1]} digit=0 stop='Stop what holds the GPU (nvidia-persistenced, dcgm, nvsm, a desktop)'
  if [[ $want == Enabled ]]; then digit=1; fi
  change "the MIG mode of GPU $gpu cannot be set" "$stop, then run this again." nvidia-smi -i "$gpu" -mig "$digit"
  read_mode "$gpu"
  if [[ ${resets[$gpu]} == yes && ${mode_now[$gpu]} != "$want" ]]; then
    change "GPU $gpu cannot be reset, so MIG stays as it was" "$stop and run this again, or reboot and run this again." \
      nvidia-smi --gpu-reset -i "$gpu"
  fi
  if [[ $dry_run == yes ]]; then return 0; fi
  read_mode "$gpu"
  if [[ ${mode_now[$gpu]} != "$want" || ${mode_next[$gpu]} != "$want" ]]; then
    fail "the MIG mode of GPU $gpu is ${mode_now[$gpu]}, and ${mode_next[$gpu]} is pending" \
      'the GPU is in use, or it was passed to a virtual machine that cannot reset it' \
      "$stop and run this again, or reboot and run this again."
  fi
}

# Compute instances go before the GPU instances that hold them; an instance may have lost its own already.
destroy_instances() {
  local gpu=$1 instance said
  local next='Stop the workload in that instance, then run this again; what is gone already stays gone.'
  for instance in ${destroy[$gpu]}; do
    printf '+ %s\n' "nvidia-smi mig -i $gpu -gi ${instance##*:} -dci"
    if [[ $dry_run == yes ]]; then continue; fi
    said=$(nvidia-smi mig -i "$gpu" -gi "${instance##*:}" -dci 2>&1) || [[ $said == *'Not Found'* ]] ||
      fail "the compute instance in ${instance%:*} on GPU $gpu cannot be destroyed" "$said" "$next"
    printf '%s\n' "$said"
  done
  for instance in ${destroy[$gpu]}; do
    change "${instance%:*} on GPU $gpu cannot be destroyed" "$next" nvidia-smi mig -i "$gpu" -gi "${instance##*:}" -dgi
  done
}

create_instances() {
  local gpu=$1 place list=''
  for place in ${create[$gpu]}; do list+=",${place%:*}"; done
  if [[ -z $list ]]; then return 0; fi
  change "the slices of GPU $gpu cannot all be made" \
    "See what is there: nvidia-smi mig -i $gpu -lgi. Free the place, then run this again: it makes what is missing." \
    nvidia-smi mig -i "$gpu" -cgi "${list#,}" -C
}

change_gpu() {
  if [[ ${want_mode[$1]} == Enabled ]] && needs_mode_change "$1"; then set_mode "$1"; fi
  destroy_instances "$1"
  if [[ ${want_mode[$1]} == Disabled ]] && needs_mode_change "$1"; then set_mode "$1"; fi
  create_instances "$1"
}

# Compares what nvidia-smi lists with the plan: the places from -lgi, the devices from -L.
verify_gpu() {
  local gpu=$1 there want
  if [[ ${want_mode[$gpu]} == Disabled ]]; then
    read_mode "$gpu"
    [[ ${mode_now[$gpu]} != Enabled ]] || fail "MIG is on on GPU $gpu" 'it was switched on meanwhile' 'Run this again.'
    printf 'GPU %s: whole card\n' "$gpu"
    return 0
  fi
  there=$(instances "$gpu" | sed 's/:[^:]*$//' | sort)
  want=$(tr ' ' '\n' <<<"${wanted[$gpu]}" | sed '/^$/d' | sort)
  [[ $there == "$want" ]] ||
    fail "GPU $gpu does not have the planned slices" "it has: ${there//$'\n'/ }; planned: ${want//$'\n'/ }" \
      'Something else cuts this GPU at the same time (mig-manager, nvidia-mig-parted). Stop it, run this again.'
  there=$(devices "$gpu" | sort)
  want=$(cut -d: -f1 <<<"$want" | sort)
  [[ $there == "$want" ]] ||
    fail "GPU $gpu has slices without a MIG device" "nvidia-smi -L shows: ${there//$'\n'/ }; planned: ${want//$'\n'/ }" \
      "Make the missing compute instances: nvidia-smi mig -i $gpu -gi ID -cci; find the ID with -lgi and -lci."
  printf 'GPU %s: %s\n' "$gpu" "${wanted[$gpu]:-MIG on, no slices}"
}

main() {
  local gpu
  check_node
  for gpu in "${gpus[@]}"; do check_gpu "$gpu"; done
  for gpu in "${gpus[@]}"; do change_gpu "$gpu"; done
  if [[ $dry_run == yes ]]; then
    echo 'Dry run: nothing was changed.'
    return 0
  fi
  for gpu in "${gpus[@]}"; do verify_gpu "$gpu"; done
  nvidia-smi -L
}

dry_run=no
case "${1:-}" in
'') ;;
--dry-run) dry_run=yes ;;
*)
  echo "usage: bash $0 [--dry-run]" >&2
  exit 2
  ;;
esac
main
