#!/usr/bin/env bash
# Labels the nodes of a Mica plan: mig-manager then cuts their GPUs. Read README.md first: a node must be cordoned and
# free of GPU pods before its label changes.
# Usage: bash label-nodes.sh [PLAN-NODE=CLUSTER-NODE]...
# A rented node has no name before it is there, so each one needs such an argument: g4-standard-48-1=CLUSTER-NODE
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

must_be_named g4-standard-48-1
label g4-standard-48-1 node-labels/g4-standard-48-1.json
