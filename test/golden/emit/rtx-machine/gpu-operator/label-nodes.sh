#!/usr/bin/env bash
# Labels the nodes of a Mica plan: mig-manager then cuts their GPUs. Read README.md first: a node must be cordoned and
# free of GPU pods before its label changes.
# Usage: bash label-nodes.sh [PLAN-NODE=CLUSTER-NODE]...
# A rented node has no name before it is there, so each one needs such an argument
set -euo pipefail
cd "$(dirname "$0")"

declare -A cluster_name
for pair in "$@"; do
  cluster_name["${pair%%=*}"]=${pair#*=}
done

must_be_named() {
  if [[ -z ${cluster_name["$1"]:-} ]]; then
    printf 'error: no cluster node is named for %s\n  next: add %s=CLUSTER-NODE\n' "$1" "$1" >&2
    exit 2
  fi
}

# label PLAN-NODE PATCH-FILE
label() {
  kubectl patch node "${cluster_name["$1"]:-$1}" --type=merge --patch-file="$2"
}

label gpu-1 node-labels/gpu-1.json
