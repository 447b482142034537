/* MIG mode: what a change answers, when it takes effect, and what a reset and a restart leave. */
#include <stdio.h>
#include <string.h>
#include "double.h"

#define EXPORT __attribute__((visibility("default")))

static int has_instances(unsigned int gpu) {
  for (unsigned int s = 0; s < MAX_INSTANCES; s++)
    if (state->gpus[gpu].instances[s].used) return 1;
  return 0;
}

EXPORT nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
  CALL("nvmlDeviceGetMigMode", {
    target_t t;
    if (!find_device(device, &t)) {
      code = NVML_ERROR_INVALID_ARGUMENT;
    } else if (!machine.gpus[t.gpu].hasMig) {
      code = NVML_ERROR_NOT_SUPPORTED;
    } else {
      *current = state->gpus[t.gpu].current;
      *pending = state->gpus[t.gpu].pending;
    }
  });
}

/* The answer is SUCCESS even where the mode did not change: what became of it is in the activation status. */
static nvmlReturn_t activate(unsigned int gpu, unsigned int mode) {
  gpu_t *g = &state->gpus[gpu];
  toggle_t toggle = machine.gpus[gpu].toggle;
  if (g->current == mode) {
    g->pending = mode;
    return NVML_SUCCESS;
  }
  if (has_clients(gpu, NO_INSTANCE) || has_instances(gpu)) {
    /* A card that keeps the mode in its firmware remembers the wish; one that does not, forgets it. */
    if (toggle != AT_ONCE) g->pending = mode;
    return NVML_ERROR_IN_USE;
  }
  g->pending = mode;
  if (toggle == AFTER_RESET || toggle == AFTER_REBOOT) return NVML_ERROR_RESET_REQUIRED;
  if (toggle == BY_OWN_RESET) reset_gpu(gpu);
  g->current = mode;
  return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceSetMigMode(nvmlDevice_t device, unsigned int mode, nvmlReturn_t *activation) {
  CALL("nvmlDeviceSetMigMode", {
    target_t t;
    if (!find_device(device, &t) || mode > 1) {
      code = NVML_ERROR_INVALID_ARGUMENT;
    } else if (!machine.gpus[t.gpu].hasMig) {
      code = NVML_ERROR_NOT_SUPPORTED;
    } else if (switched("unprivileged")) {
      code = NVML_ERROR_NO_PERMISSION;
    } else {
      *activation = activate(t.gpu, mode);
      note(call, "gpu=%u mode=%u activation=%d", t.gpu, mode, *activation);
    }
  });
}
