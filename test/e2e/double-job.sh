#!/bin/sh
# A job on a slice of the double of NVML that says when it begins and ends, and where. Jobs that use the GPU are listed
# by the driver for as long as they live, as real ones are.
# Usage: double-job.sh FOLDER JOB KIND
at=$1 job=$2 kind=$3
instance=${MICA_SLICE##*#}
say() { echo "$1 $job $MICA_ATTEMPT $CUDA_VISIBLE_DEVICES $$" >>"$at/log"; }
# The N-th word that the kernel says of a process after its name.
stat_of() { read -r line 2>/dev/null <"/proc/$1/stat" && set -- "$2" ${line##*) } && shift "$1" && echo "$1"; }
# PID GPU INSTANCE MIB KIND NAME live:SINCE
use_gpu() { echo "$1 0 $instance 512 C job live:$(stat_of "$1" 20)" >>"$DOUBLE/clients"; }
say begin
case $kind in
  sleep) sleep 0.01 ;;
  gpu) use_gpu $$; sleep 0.02 ;;
  compute) i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); done ;;
  fail) say end; exit 3 ;;
  crash) use_gpu $$; say end; kill -SEGV $$ ;;
  flaky) [ "$MICA_ATTEMPT" -gt 1 ] || { say end; exit 1; } ;;
  fork) sleep 60 & use_gpu $! ;;
  hang) use_gpu $$; sleep 60 & sleep 60 ;;
  # Out of the group and the session, and on the GPU: only the environment says whose it is.
  escape)
    setsid sleep 60 >/dev/null 2>&1 &
    until [ "$(stat_of $! 4)" = $! ]; do sleep 0.01; done
    echo $! >>"$at/escaped"; use_gpu $! ;;
  # The hardware fails under it, once.
  xid) mkdir "$at/xid" 2>/dev/null && { use_gpu $$; echo "$CUDA_VISIBLE_DEVICES" >"$at/broken"; "$DOUBLE/nvidia-smi" xid 0 79 "$instance"; sleep 30; } ;;
esac
say end
