#!/bin/sh
# A job that says when it runs, and on what: whoever was on the slice before must be gone, with all that it forked.
# Usage: batch-job.sh FOLDER JOB KIND
at=$1 job=$2 kind=$3
held=$at/held.$CUDA_VISIBLE_DEVICES
before=$(cat "$held" 2>/dev/null)
if [ -n "$before" ] && kill -0 -- "-$before" 2>/dev/null; then
  # Zombies count for the signal, and for nothing else.
  ps -o stat= -s "$before" | grep -qv '^Z' && echo "clash $job $before" >>"$at/log"
fi
echo $$ >"$held"
echo "run $job $MICA_ATTEMPT $CUDA_VISIBLE_DEVICES" >>"$at/log"
case $kind in
  sleep) sleep 0.01 ;;
  long) sleep 0.2 ;;
  compute) i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done ;;
  fail) exit 3 ;;
  crash) kill -SEGV $$ ;;
  flaky) [ "$MICA_ATTEMPT" -gt 1 ] || exit 1 ;;
  fork) sleep 60 & sleep 61 & ;;
  hang) sleep 60 & sleep 60 ;;
esac
