/** Bash text: the changes, each one printed; with --dry-run only printed. */
export const changing = `\
# change WHAT NEXT COMMAND...: prints and runs a command that changes the GPU; WHAT and NEXT are for its failure.
change() {
  local what=$1 next=$2 said
  shift 2
  printf '+ %s\\n' "$*"
  if [[ $dry_run == yes ]]; then return 0; fi
  said=$("$@" 2>&1) || fail "$what" "$said" "$next"
  if [[ -n $said ]]; then printf '%s\\n' "$said"; fi
}

# set_mode GPU: the new mode must be in force, not pending, before anything else happens.
set_mode() {
  local gpu=$1 want=\${want_mode[$1]} digit=0 stop='Stop what holds the GPU (nvidia-persistenced, dcgm, nvsm, a desktop)'
  if [[ $want == Enabled ]]; then digit=1; fi
  change "the MIG mode of GPU $gpu cannot be set" "$stop, then run this again." nvidia-smi -i "$gpu" -mig "$digit"
  read_mode "$gpu"
  if [[ \${resets[$gpu]} == yes && \${mode_now[$gpu]} != "$want" ]]; then
    change "GPU $gpu cannot be reset, so MIG stays as it was" "$stop and run this again, or reboot and run this again." \\
      nvidia-smi --gpu-reset -i "$gpu"
  fi
  if [[ $dry_run == yes ]]; then return 0; fi
  read_mode "$gpu"
  if [[ \${mode_now[$gpu]} != "$want" || \${mode_next[$gpu]} != "$want" ]]; then
    fail "the MIG mode of GPU $gpu is \${mode_now[$gpu]}, and \${mode_next[$gpu]} is pending" \\
      'the GPU is in use, or it was passed to a virtual machine that cannot reset it' \\
      "$stop and run this again, or reboot and run this again."
  fi
}

# Compute instances go before the GPU instances that hold them; an instance may have lost its own already.
destroy_instances() {
  local gpu=$1 instance said
  local next='Stop the workload in that instance, then run this again; what is gone already stays gone.'
  for instance in \${destroy[$gpu]}; do
    printf '+ %s\\n' "nvidia-smi mig -i $gpu -gi \${instance##*:} -dci"
    if [[ $dry_run == yes ]]; then continue; fi
    said=$(nvidia-smi mig -i "$gpu" -gi "\${instance##*:}" -dci 2>&1) || [[ $said == *'Not Found'* ]] ||
      fail "the compute instance in \${instance%:*} on GPU $gpu cannot be destroyed" "$said" "$next"
    printf '%s\\n' "$said"
  done
  for instance in \${destroy[$gpu]}; do
    change "\${instance%:*} on GPU $gpu cannot be destroyed" "$next" nvidia-smi mig -i "$gpu" -gi "\${instance##*:}" -dgi
  done
}

create_instances() {
  local gpu=$1 place list=''
  for place in \${create[$gpu]}; do list+=",\${place%:*}"; done
  if [[ -z $list ]]; then return 0; fi
  change "the slices of GPU $gpu cannot all be made" \\
    "See what is there: nvidia-smi mig -i $gpu -lgi. Free the place, then run this again: it makes what is missing." \\
    nvidia-smi mig -i "$gpu" -cgi "\${list#,}" -C
}

change_gpu() {
  if [[ \${want_mode[$1]} == Enabled ]] && needs_mode_change "$1"; then set_mode "$1"; fi
  destroy_instances "$1"
  if [[ \${want_mode[$1]} == Disabled ]] && needs_mode_change "$1"; then set_mode "$1"; fi
  create_instances "$1"
}
`;
