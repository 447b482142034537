/** Bash text: what must be true before anything is touched, and what is then left to do on each GPU. */
export const checking = `\
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
  IFS=, read -r device driver vbios name <<<"\${said//, /,}"
  if [[ -n \${pci_ids[$gpu]} ]] && ! in_list "\${device:2:4}" "\${pci_ids[$gpu]}"; then
    fail "GPU $gpu is not the planned \${card[$gpu]}" \\
      "it is a $name, PCI device id \${device:2:4}; the plan is for \${pci_ids[$gpu]}" \\
      'Run the script of this node, or plan again for the cards that it has.'
  fi
  if [[ -n \${min_driver[$gpu]} ]] && older "$driver" "\${min_driver[$gpu]}"; then
    fail "the driver is too old for MIG on GPU $gpu" "it is $driver, MIG on a \${card[$gpu]} needs \${min_driver[$gpu]}" \\
      'Install a newer driver.'
  fi
  if [[ -n \${min_vbios[$gpu]} ]] && older_hex "$vbios" "\${min_vbios[$gpu]}"; then
    fail "the vBIOS of GPU $gpu is too old for MIG" "it is $vbios, MIG needs \${min_vbios[$gpu]}" \\
      'Ask the card maker for a vBIOS update.'
  fi
}

# Sorts the present instances of a GPU into those to keep, to destroy, and those that forbid going on.
check_layout() {
  local gpu=$1 present='' instance place foreign=''
  keep[$gpu]='' destroy[$gpu]='' create[$gpu]=''
  if [[ \${mode_now[$gpu]} == Enabled ]]; then present=$(instances "$gpu"); fi
  for instance in $present; do
    place=\${instance%:*}
    if in_list "$place" "\${wanted[$gpu]}"; then
      keep[$gpu]+=" $place"
    elif in_list "$place" "\${may_destroy[$gpu]}"; then
      destroy[$gpu]+=" $instance"
    else
      foreign+=" $place"
    fi
  done
  if [[ -n $foreign ]]; then
    fail "GPU $gpu has instances that the plan does not know:$foreign" \\
      'somebody may be using them, and the plan does not say to destroy them' \\
      'Plan again with these slices in the fleet (layouts), or destroy them yourself.'
  fi
  for place in \${wanted[$gpu]}; do
    in_list "$place" "\${keep[$gpu]}" || create[$gpu]+=" $place"
  done
}

check_mode() {
  local gpu=$1
  read_mode "$gpu"
  if [[ \${mode_now[$gpu]} == '[N/A]' && \${want_mode[$gpu]} == Enabled ]]; then
    if [[ \${needs_display_off[$gpu]} == yes ]]; then
      fail "GPU $gpu offers no MIG" 'a workstation card in graphics mode has none' \\
        "Unload the driver, run displaymodeselector --gpumode compute for this card, reboot, run this again."
    fi
    fail "GPU $gpu offers no MIG" 'card, driver or virtual machine does not support it' 'Check the card and the driver.'
  fi
  if [[ \${mode_next[$gpu]} != "\${mode_now[$gpu]}" && \${mode_next[$gpu]} != "\${want_mode[$gpu]}" ]]; then
    fail "GPU $gpu is about to change its MIG mode to \${mode_next[$gpu]}" 'somebody else asked for that' \\
      'Reset the GPU or reboot, run this again.'
  fi
  if [[ \${mode_now[$gpu]} == Enabled && \${want_mode[$gpu]} == Disabled && \${may_disable[$gpu]} == no ]]; then
    fail "MIG is on on GPU $gpu" 'the plan takes the card whole, and does not say to turn MIG off' \\
      "Turn it off yourself (nvidia-smi -i $gpu -mig 0), or plan again with the card as it is."
  fi
}

needs_mode_change() { [[ \${mode_now[$1]} != "\${want_mode[$1]}" && \${mode_now[$1]} != '[N/A]' ]]; }

# The mode changes, and the first instance is made, only on an idle GPU. Beside kept slices others may go on working.
check_idle() {
  local gpu=$1 users
  if [[ -n \${keep[$gpu]} ]] || { ! needs_mode_change "$gpu" && [[ -z \${destroy[$gpu]}\${create[$gpu]} ]]; }; then
    return 0
  fi
  users=$(nvidia-smi -i "$gpu" --query-compute-apps=pid,process_name --format=csv,noheader 2>&1) ||
    fail "the processes on GPU $gpu cannot be read" "$users" 'Run nvidia-smi and look.'
  users=$(awk -F, '$1 ~ /^[0-9]+$/' <<<"$users")
  if [[ -n $users ]]; then
    fail "GPU $gpu is in use" "these processes run on it: \${users//$'\\n'/; }" 'Stop them, then run this again.'
  fi
}

check_gpu() {
  check_card "$1"
  check_mode "$1"
  check_layout "$1"
  check_idle "$1"
  printf 'GPU %s: MIG %s; keep:%s; destroy:%s; create:%s\\n' \\
    "$1" "\${mode_now[$1]}" "\${keep[$1]:- nothing}" "\${destroy[$1]:- nothing}" "\${create[$1]:- nothing}"
}
`;
