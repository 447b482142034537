/*
 * A tiny nvidia-smi for the double, `nvidia-smi --gpu-reset -i UUID`, and what happens to a machine by itself:
 * `reboot`, `mig GPU 0|1` (the mode it came with), `xid GPU XID INSTANCE`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "double.h"

static int find_gpu(const char *uuid) {
  for (unsigned int i = 0; i < machine.gpuCount; i++)
    if (strcmp(machine.gpus[i].uuid, uuid) == 0) return (int)i;
  return -1;
}

static int try_reset(call_t *call, const char *uuid) {
  int gpu = find_gpu(uuid);
  note(call, "gpu=%d", gpu);
  if (gpu < 0) {
    printf("No devices were found\n");
    return NVML_ERROR_NOT_FOUND;
  }
  const char *bus = machine.gpus[gpu].busId;
  if (switched("unprivileged")) {
    printf("Unable to reset this GPU: Insufficient Permissions\n");
    return NVML_ERROR_NO_PERMISSION;
  }
  if (machine.gpus[gpu].toggle == AFTER_REBOOT) {
    printf("Resetting GPU %s is not supported.\n", bus);
    return NVML_ERROR_NOT_SUPPORTED;
  }
  if (has_clients((unsigned int)gpu, NO_INSTANCE) || attached_by_others()) {
    printf("GPU %s is currently in use by one or more other processes.\n", bus);
    return NVML_ERROR_IN_USE;
  }
  reset_gpu((unsigned int)gpu);
  printf("GPU %s was successfully reset.\nAll done.\n", bus);
  return NVML_SUCCESS;
}

static int gpu_reset(const char *uuid) {
  CALL("reset", { code = try_reset(call, uuid); });
}

static void reboot(void) {
  char path[1200];
  for (unsigned int i = 0; i < machine.gpuCount; i++) {
    if (!machine.gpus[i].modeSurvivesReboot) state->gpus[i].pending = 0;
    reset_gpu(i);
  }
  memset(state->attached, 0, sizeof state->attached);
  remove(machine_path("clients", path, sizeof path));
}

int main(int count, char **words) {
  int result = NVML_SUCCESS;
  if (!machine_read()) return NVML_ERROR_DRIVER_NOT_LOADED;
  if (count == 4 && strcmp(words[1], "--gpu-reset") == 0 && strcmp(words[2], "-i") == 0) return gpu_reset(words[3]);
  state_lock();
  if (count == 2 && strcmp(words[1], "reboot") == 0) {
    reboot();
  } else if (count == 4 && strcmp(words[1], "mig") == 0) {
    gpu_t *gpu = &state->gpus[atoi(words[2])];
    gpu->current = gpu->pending = (uint32_t)atoi(words[3]);
  } else if (count == 5 && strcmp(words[1], "xid") == 0) {
    int instance = atoi(words[4]);
    add_xid((unsigned int)atoi(words[2]), (unsigned int)atoi(words[3]),
            instance < 0 ? NO_INSTANCE : (unsigned int)instance);
  } else {
    fprintf(stderr, "nvidia-smi double: unknown arguments\n");
    result = NVML_ERROR_INVALID_ARGUMENT;
  }
  state_unlock();
  return result;
}
