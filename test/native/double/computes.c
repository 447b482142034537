/* Compute instances inside a GPU instance: their profiles follow from the slices that the GPU instance has. */
#include <stdio.h>
#include <string.h>
#include "double.h"

#define EXPORT __attribute__((visibility("default")))

/* Slices of NVML_COMPUTE_INSTANCE_PROFILE_*; the last is the one of a double-memory 1g. */
static const unsigned int slicesOf[COMPUTE_INSTANCE_PROFILE_COUNT] = {1, 2, 3, 4, 7, 8, 6, 1};

static const profile_t *gpu_profile(const target_t *t) {
  return &machine.gpus[t->gpu].profiles[state->gpus[t->gpu].instances[t->slot].profile];
}

static nvmlReturn_t compute_profile(const target_t *t, unsigned int profile) {
  const profile_t *p = gpu_profile(t);
  if (profile >= COMPUTE_INSTANCE_PROFILE_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  int isDouble = p->nvmlEnum == GPU_INSTANCE_PROFILE_1_SLICE_REV2;
  if (isDouble != (profile == COMPUTE_INSTANCE_PROFILE_1_SLICE_REV1)) return NVML_ERROR_NOT_SUPPORTED;
  return slicesOf[profile] <= p->slices ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
}

EXPORT nvmlReturn_t nvmlGpuInstanceGetComputeInstanceProfileInfo(nvmlGpuInstance_t instance, unsigned int profile,
                                                                 unsigned int engine,
                                                                 nvmlComputeInstanceProfileInfo_t *info) {
  CALL("nvmlGpuInstanceGetComputeInstanceProfileInfo", {
    target_t t;
    if (!find_instance(instance, &t) || engine != 0) code = NVML_ERROR_INVALID_ARGUMENT;
    else code = compute_profile(&t, profile);
    if (code == NVML_SUCCESS) {
      const profile_t *p = gpu_profile(&t);
      memset(info, 0, sizeof *info);
      info->id = profile;
      info->sliceCount = slicesOf[profile];
      info->instanceCount = p->slices / slicesOf[profile];
      info->multiprocessorCount = p->sms * slicesOf[profile] / p->slices;
      info->sharedCopyEngineCount = p->copy;
      info->sharedDecoderCount = p->decoders;
      info->sharedEncoderCount = p->encoders;
      info->sharedJpegCount = p->jpeg;
      info->sharedOfaCount = p->ofa;
    }
  });
}

static nvmlReturn_t make(call_t *call, const target_t *t, unsigned int profile, nvmlComputeInstance_t *made) {
  instance_t *i = &state->gpus[t->gpu].instances[t->slot];
  unsigned int taken = 0, id = 0, slices = slicesOf[profile];
  for (unsigned int c = 0; c < 8; c++)
    if (i->computes[c].used) taken += i->computes[c].slices;
  if (taken + slices > gpu_profile(t)->slices) return NVML_ERROR_INSUFFICIENT_RESOURCES;
  while (i->computes[id].used) id++;
  i->computes[id] = (compute_t){0, id, profile, slices, taken};
  i->computes[id].used = 1;
  *made = compute_handle(t->gpu, t->slot, id);
  note(call, "gpu=%u gi=%u ci=%u profile=%u serial=%u", t->gpu, i->id, id, profile, i->serial);
  return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlGpuInstanceCreateComputeInstance(nvmlGpuInstance_t instance, unsigned int profile,
                                                         nvmlComputeInstance_t *compute) {
  CALL("nvmlGpuInstanceCreateComputeInstance", {
    target_t t;
    if (!find_instance(instance, &t)) code = NVML_ERROR_INVALID_ARGUMENT;
    else if (switched("unprivileged")) code = NVML_ERROR_NO_PERMISSION;
    else code = compute_profile(&t, profile);
    if (code == NVML_SUCCESS) code = make(call, &t, profile, compute);
  });
}

EXPORT nvmlReturn_t nvmlGpuInstanceGetComputeInstances(nvmlGpuInstance_t instance, unsigned int profile,
                                                       nvmlComputeInstance_t *computes, unsigned int *count) {
  CALL("nvmlGpuInstanceGetComputeInstances", {
    target_t t;
    *count = 0;
    if (!find_instance(instance, &t)) {
      code = NVML_ERROR_INVALID_ARGUMENT;
    } else {
      const instance_t *i = &state->gpus[t.gpu].instances[t.slot];
      for (unsigned int c = 0; c < 8; c++)
        if (i->computes[c].used && i->computes[c].profile == profile)
          computes[(*count)++] = compute_handle(t.gpu, t.slot, c);
    }
  });
}

EXPORT nvmlReturn_t nvmlGpuInstanceGetComputeInstanceById(nvmlGpuInstance_t instance, unsigned int id,
                                                          nvmlComputeInstance_t *compute) {
  CALL("nvmlGpuInstanceGetComputeInstanceById", {
    target_t t;
    if (!find_instance(instance, &t)) code = NVML_ERROR_INVALID_ARGUMENT;
    else if (id >= 8 || !state->gpus[t.gpu].instances[t.slot].computes[id].used) code = NVML_ERROR_NOT_FOUND;
    else *compute = compute_handle(t.gpu, t.slot, id);
  });
}

EXPORT nvmlReturn_t nvmlComputeInstanceGetInfo_v2(nvmlComputeInstance_t compute, nvmlComputeInstanceInfo_t *info) {
  CALL("nvmlComputeInstanceGetInfo_v2", {
    target_t t;
    if (!find_compute(compute, &t)) {
      code = NVML_ERROR_INVALID_ARGUMENT;
    } else {
      const compute_t *c = &state->gpus[t.gpu].instances[t.slot].computes[t.compute];
      info->device = device_handle(t.gpu);
      info->gpuInstance = instance_handle(t.gpu, t.slot);
      info->id = c->id;
      info->profileId = c->profile;
      /* A compute instance that fills a 3g is printed as four long. */
      info->placement = (nvmlComputeInstancePlacement_t){c->start, c->slices == 3 ? 4 : c->slices};
    }
  });
}

EXPORT nvmlReturn_t nvmlComputeInstanceDestroy(nvmlComputeInstance_t compute) {
  CALL("nvmlComputeInstanceDestroy", {
    target_t t;
    if (!find_compute(compute, &t)) {
      code = NVML_ERROR_INVALID_ARGUMENT;
    } else if (switched("unprivileged")) {
      code = NVML_ERROR_NO_PERMISSION;
    } else {
      instance_t *i = &state->gpus[t.gpu].instances[t.slot];
      note(call, "gpu=%u gi=%u ci=%u serial=%u", t.gpu, i->id, t.compute, i->serial);
      if (has_clients(t.gpu, i->id)) code = NVML_ERROR_IN_USE;
      else i->computes[t.compute].used = 0;
    }
  });
}
