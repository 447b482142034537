/** Bash text: the proof afterwards, and the order of it all. */
export const running = `\
# Compares what nvidia-smi lists with the plan: the places from -lgi, the devices from -L.
verify_gpu() {
  local gpu=$1 there want
  if [[ \${want_mode[$gpu]} == Disabled ]]; then
    read_mode "$gpu"
    [[ \${mode_now[$gpu]} != Enabled ]] || fail "MIG is on on GPU $gpu" 'it was switched on meanwhile' 'Run this again.'
    printf 'GPU %s: whole card\\n' "$gpu"
    return 0
  fi
  there=$(instances "$gpu" | sed 's/:[^:]*$//' | sort)
  want=$(tr ' ' '\\n' <<<"\${wanted[$gpu]}" | sed '/^$/d' | sort)
  [[ $there == "$want" ]] ||
    fail "GPU $gpu does not have the planned slices" "it has: \${there//$'\\n'/ }; planned: \${want//$'\\n'/ }" \\
      'Something else cuts this GPU at the same time (mig-manager, nvidia-mig-parted). Stop it, run this again.'
  there=$(devices "$gpu" | sort)
  want=$(cut -d: -f1 <<<"$want" | sort)
  [[ $there == "$want" ]] ||
    fail "GPU $gpu has slices without a MIG device" "nvidia-smi -L shows: \${there//$'\\n'/ }; planned: \${want//$'\\n'/ }" \\
      "Make the missing compute instances: nvidia-smi mig -i $gpu -gi ID -cci; find the ID with -lgi and -lci."
  printf 'GPU %s: %s\\n' "$gpu" "\${wanted[$gpu]:-MIG on, no slices}"
}

main() {
  local gpu
  check_node
  for gpu in "\${gpus[@]}"; do check_gpu "$gpu"; done
  for gpu in "\${gpus[@]}"; do change_gpu "$gpu"; done
  if [[ $dry_run == yes ]]; then
    echo 'Dry run: nothing was changed.'
    return 0
  fi
  for gpu in "\${gpus[@]}"; do verify_gpu "$gpu"; done
  nvidia-smi -L
}

dry_run=no
case "\${1:-}" in
'') ;;
--dry-run) dry_run=yes ;;
*)
  echo "usage: bash $0 [--dry-run]" >&2
  exit 2
  ;;
esac
main
`;
