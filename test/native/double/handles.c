/* Handles: numbers dressed as pointers. Kind, card, slot and compute instance, with what makes a stale one detectable. */
#include "double.h"

enum { DEVICE = 1, MIG_DEVICE, INSTANCE, COMPUTE };

#define EPOCH_BITS 11
#define SERIAL_BITS 20

static uintptr_t make(unsigned int kind, unsigned int gpu, unsigned int slot, unsigned int compute) {
  const gpu_t *g = &state->gpus[gpu];
  uintptr_t epoch = (g->epoch + library_generation()) & ((1U << EPOCH_BITS) - 1);
  uintptr_t serial = kind == DEVICE ? 0 : g->instances[slot].serial & ((1U << SERIAL_BITS) - 1);
  return ((uintptr_t)kind << 44) | ((uintptr_t)gpu << 39) | ((uintptr_t)slot << 35) | ((uintptr_t)compute << 31) |
         (epoch << SERIAL_BITS) | serial;
}

/* A handle is good if making it again, now, gives the same number. */
static int find(uintptr_t handle, unsigned int kind, target_t *target) {
  target->gpu = (unsigned int)(handle >> 39) & 31;
  target->slot = (unsigned int)(handle >> 35) & 15;
  target->compute = (unsigned int)(handle >> 31) & 15;
  if (handle >> 44 != kind || target->gpu >= machine.gpuCount || target->compute >= 8) return 0;
  if (handle != make(kind, target->gpu, target->slot, target->compute)) return 0;
  const instance_t *instance = &state->gpus[target->gpu].instances[target->slot];
  if (kind != DEVICE && !instance->used) return 0;
  return kind == DEVICE || kind == INSTANCE || instance->computes[target->compute].used;
}

nvmlDevice_t device_handle(unsigned int gpu) { return (nvmlDevice_t)make(DEVICE, gpu, 0, 0); }

nvmlDevice_t mig_handle(unsigned int gpu, unsigned int slot, unsigned int compute) {
  return (nvmlDevice_t)make(MIG_DEVICE, gpu, slot, compute);
}

nvmlGpuInstance_t instance_handle(unsigned int gpu, unsigned int slot) {
  return (nvmlGpuInstance_t)make(INSTANCE, gpu, slot, 0);
}

nvmlComputeInstance_t compute_handle(unsigned int gpu, unsigned int slot, unsigned int compute) {
  return (nvmlComputeInstance_t)make(COMPUTE, gpu, slot, compute);
}

int find_device(nvmlDevice_t handle, target_t *target) { return find((uintptr_t)handle, DEVICE, target); }

int find_mig(nvmlDevice_t handle, target_t *target) { return find((uintptr_t)handle, MIG_DEVICE, target); }

int find_instance(nvmlGpuInstance_t handle, target_t *target) { return find((uintptr_t)handle, INSTANCE, target); }

int find_compute(nvmlComputeInstance_t handle, target_t *target) { return find((uintptr_t)handle, COMPUTE, target); }
