/** Bash text: how the script speaks, fails, and reads what nvidia-smi prints. */
export const reading = `\
# fail WHAT WHY NEXT: every failure says all three and ends the script.
fail() {
  printf 'error: %s\\n  why:  %s\\n  next: %s\\n' "$1" "$2" "$3" >&2
  exit 1
}

# query GPU FIELDS: one line of nvidia-smi's CSV.
query() {
  local said
  said=$(nvidia-smi -i "$1" --query-gpu="$2" --format=csv,noheader 2>&1) ||
    fail "GPU $1 cannot be read" "$said" 'Run nvidia-smi. Is the driver loaded, and does this node have that GPU?'
  printf '%s\\n' "$said"
}

# read_mode GPU: the MIG mode now and after the next reset, each Enabled, Disabled or [N/A].
declare -A mode_now mode_next
read_mode() {
  local said
  said=$(query "$1" mig.mode.current,mig.mode.pending)
  mode_now[$1]=\${said%%, *}
  mode_next[$1]=\${said##*, }
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
  printf '%s\\n' "$rows"
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
older() { [[ $1 != "$2" && $(printf '%s\\n%s\\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }
older_hex() { [[ \${1^^} < \${2^^} ]]; }
`;
