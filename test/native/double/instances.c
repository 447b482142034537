/* GPU instances: profiles, places, making and destroying them, as strictly as the driver does. */
#include <stdio.h>
#include <string.h>
#include "double.h"

#define EXPORT __attribute__((visibility("default")))

static const profile_t *by_enum(const model_t *model, unsigned int nvmlEnum) {
  for (unsigned int p = 0; p < model->profileCount; p++)
    if (model->profiles[p].nvmlEnum == nvmlEnum) return &model->profiles[p];
  return NULL;
}

static const profile_t *by_id(const model_t *model, unsigned int id) {
  for (unsigned int p = 0; p < model->profileCount; p++)
    if (model->profiles[p].id == id) return &model->profiles[p];
  return NULL;
}

static nvmlReturn_t profile_of(nvmlDevice_t device, unsigned int nvmlEnum, const profile_t **profile) {
  target_t t;
  if (!find_device(device, &t) || nvmlEnum >= GPU_INSTANCE_PROFILE_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  const model_t *model = &machine.gpus[t.gpu];
  if (!model->hasMig || (!model->listsWithMigOff && !state->gpus[t.gpu].current)) return NVML_ERROR_NOT_SUPPORTED;
  *profile = by_enum(model, nvmlEnum);
  return *profile == NULL ? NVML_ERROR_NOT_SUPPORTED : NVML_SUCCESS;
}

#define FILL(info, p)                            \
  do {                                           \
    (info)->id = (p)->id;                        \
    (info)->sliceCount = (p)->slices;            \
    (info)->instanceCount = (p)->maxCount;       \
    (info)->multiprocessorCount = (p)->sms;      \
    (info)->copyEngineCount = (p)->copy;         \
    (info)->decoderCount = (p)->decoders;        \
    (info)->encoderCount = (p)->encoders;        \
    (info)->jpegCount = (p)->jpeg;               \
    (info)->ofaCount = (p)->ofa;                 \
    (info)->memorySizeMB = (p)->memoryMiB;       \
  } while (0)

EXPORT nvmlReturn_t nvmlDeviceGetGpuInstanceProfileInfo(nvmlDevice_t device, unsigned int profile,
                                                        nvmlGpuInstanceProfileInfo_t *info) {
  CALL("nvmlDeviceGetGpuInstanceProfileInfo", {
    const profile_t *p = NULL;
    code = profile_of(device, profile, &p);
    if (code == NVML_SUCCESS) {
      memset(info, 0, sizeof *info);
      FILL(info, p);
    }
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuInstanceProfileInfoV(nvmlDevice_t device, unsigned int profile,
                                                         nvmlGpuInstanceProfileInfo_v2_t *info) {
  CALL("nvmlDeviceGetGpuInstanceProfileInfoV", {
    const profile_t *p = NULL;
    nvmlGpuInstanceProfileInfo_v3_t *info3 = (nvmlGpuInstanceProfileInfo_v3_t *)(void *)info;
    unsigned int version = info->version;
    int isV2 = version == VERSION_WORD(nvmlGpuInstanceProfileInfo_v2_t, 2);
    int isV3 = version == VERSION_WORD(nvmlGpuInstanceProfileInfo_v3_t, 3) && !switched("only-v2");
    code = isV2 || isV3 ? profile_of(device, profile, &p) : NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    if (code == NVML_SUCCESS && isV2) {
      info->isP2pSupported = 0;
      FILL(info, p);
      snprintf(info->name, sizeof info->name, "MIG %s", p->name);
    } else if (code == NVML_SUCCESS) {
      FILL(info3, p);
      snprintf(info3->name, sizeof info3->name, "MIG %s", p->name);
      info3->capabilities = strstr(p->name, "+gfx") != NULL ? CAPABILITY_GFX : 0;
    }
  });
}

/* The same card, profile and rights for every call below; the block given last sees `t`, `model`, `gpu` and `p`. */
#define WITH_PROFILE(function, changes, ...)                                                      \
  CALL(function, {                                                                                \
    target_t t;                                                                                   \
    const model_t *model;                                                                         \
    const profile_t *p = NULL;                                                                    \
    if (!find_device(device, &t)) {                                                               \
      code = NVML_ERROR_INVALID_ARGUMENT;                                                         \
    } else {                                                                                      \
      model = &machine.gpus[t.gpu];                                                               \
      gpu_t *gpu = &state->gpus[t.gpu];                                                           \
      note(call, "gpu=%u profile=%u", t.gpu, profileId);                                          \
      if (!model->hasMig) code = NVML_ERROR_NOT_SUPPORTED;                                        \
      else if (switched((changes) ? "unprivileged" : "no-monitor")) code = NVML_ERROR_NO_PERMISSION; \
      else if ((changes) && !gpu->current) code = NVML_ERROR_NOT_SUPPORTED;                       \
      else if ((p = by_id(model, profileId)) == NULL) code = NVML_ERROR_INVALID_ARGUMENT;         \
      else __VA_ARGS__                                                                            \
    }                                                                                             \
  })

EXPORT nvmlReturn_t nvmlDeviceGetGpuInstancePossiblePlacements_v2(nvmlDevice_t device, unsigned int profileId,
                                                                  nvmlGpuInstancePlacement_t *placements,
                                                                  unsigned int *count) {
  WITH_PROFILE("nvmlDeviceGetGpuInstancePossiblePlacements_v2", 0, {
    (void)gpu;
    if (placements != NULL && *count < p->startCount) {
      code = NVML_ERROR_INSUFFICIENT_SIZE;
    } else if (placements != NULL) {
      unsigned int filled = 0;
      for (unsigned int start = 0; start < 64; start++)
        for (unsigned int s = 0; s < p->startCount; s++)
          if (p->starts[s] == start) placements[filled++] = (nvmlGpuInstancePlacement_t){start, p->size};
    }
    *count = p->startCount;
  });
}

static int is_free(const gpu_t *gpu, unsigned int start, unsigned int size) {
  for (unsigned int s = 0; s < MAX_INSTANCES; s++) {
    const instance_t *i = &gpu->instances[s];
    if (i->used && start < i->start + i->size && i->start < start + size) return 0;
  }
  return 1;
}

/* How many more the counts allow: the profile's own maximum, and engines that the whole card has to share out. */
static unsigned int budget(const model_t *model, const gpu_t *gpu, const profile_t *p) {
  const profile_t *full = p;
  unsigned int used[4] = {0}, live = 0, left;
  for (unsigned int i = 0; i < model->profileCount; i++)
    if (model->profiles[i].slices > full->slices) full = &model->profiles[i];
  for (unsigned int s = 0; s < MAX_INSTANCES; s++) {
    if (!gpu->instances[s].used) continue;
    const profile_t *other = &model->profiles[gpu->instances[s].profile];
    if (other == p) live++;
    used[0] += other->decoders;
    used[1] += other->encoders;
    used[2] += other->jpeg;
    used[3] += other->ofa;
  }
  const unsigned int wants[4] = {p->decoders, p->encoders, p->jpeg, p->ofa};
  const unsigned int has[4] = {full->decoders, full->encoders, full->jpeg, full->ofa};
  left = live < p->maxCount ? p->maxCount - live : 0;
  for (unsigned int e = 0; e < 4; e++) {
    if (wants[e] == 0) continue;
    unsigned int more = used[e] < has[e] ? (has[e] - used[e]) / wants[e] : 0;
    if (more < left) left = more;
  }
  return left;
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuInstanceRemainingCapacity(nvmlDevice_t device, unsigned int profileId,
                                                              unsigned int *count) {
  WITH_PROFILE("nvmlDeviceGetGpuInstanceRemainingCapacity", 0, {
    unsigned int most = budget(model, gpu, p), places = 0;
    for (unsigned int s = 0; s < p->startCount; s++) places += (unsigned int)is_free(gpu, p->starts[s], p->size);
    *count = places < most ? places : most;
  });
}

/* The node of the driver's tree: opaque, and in the adversarial world another one. */
static unsigned int node_id(const model_t *model, const gpu_t *gpu, unsigned int start, unsigned int size) {
  unsigned int ids[32], count = 0, mine = 0;
  for (unsigned int n = 0; n < model->nodeCount; n++) {
    if (model->nodes[n].size != size) continue;
    if (model->nodes[n].start == start) mine = count;
    ids[count++] = model->nodes[n].id;
  }
  (void)gpu;
  if (count == 0) return 15 + start;
  return switched("adversarial") ? ids[count - 1 - mine] : ids[mine];
}

static nvmlReturn_t make(call_t *call, unsigned int gpuIndex, const profile_t *p, unsigned int start,
                         nvmlGpuInstance_t *made) {
  const model_t *model = &machine.gpus[gpuIndex];
  gpu_t *gpu = &state->gpus[gpuIndex];
  unsigned int slot = 0;
  int any = 0;
  for (unsigned int s = 0; s < MAX_INSTANCES; s++) any |= gpu->instances[s].used != 0;
  if (!any && has_clients(gpuIndex, NO_INSTANCE)) return NVML_ERROR_IN_USE;
  if (budget(model, gpu, p) == 0 || !is_free(gpu, start, p->size)) return NVML_ERROR_INSUFFICIENT_RESOURCES;
  while (slot < MAX_INSTANCES && gpu->instances[slot].used) slot++;
  if (slot == MAX_INSTANCES) return NVML_ERROR_INSUFFICIENT_RESOURCES;
  instance_t *i = &gpu->instances[slot];
  memset(i, 0, sizeof *i);
  i->id = node_id(model, gpu, start, p->size);
  i->profile = (uint32_t)(p - model->profiles);
  i->start = start;
  i->size = p->size;
  i->serial = ++state->serial;
  i->used = 1; /* last: a process that is killed before leaves nothing half made */
  *made = instance_handle(gpuIndex, slot);
  note(call, "gpu=%u gi=%u profile=%u start=%u serial=%u", gpuIndex, i->id, p->id, start, i->serial);
  return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceCreateGpuInstanceWithPlacement(nvmlDevice_t device, unsigned int profileId,
                                                             const nvmlGpuInstancePlacement_t *placement,
                                                             nvmlGpuInstance_t *instance) {
  WITH_PROFILE("nvmlDeviceCreateGpuInstanceWithPlacement", 1, {
    (void)gpu;
    note(call, "gpu=%u profile=%u start=%u", t.gpu, profileId, placement->start);
    code = NVML_ERROR_INVALID_ARGUMENT;
    for (unsigned int s = 0; s < p->startCount; s++)
      if (p->starts[s] == placement->start && p->size == placement->size)
        code = make(call, t.gpu, p, placement->start, instance);
  });
}

/* Where the driver puts it by itself: the observed order, or in the adversarial world the opposite one. */
EXPORT nvmlReturn_t nvmlDeviceCreateGpuInstance(nvmlDevice_t device, unsigned int profileId,
                                                nvmlGpuInstance_t *instance) {
  WITH_PROFILE("nvmlDeviceCreateGpuInstance", 1, {
    (void)gpu;
    code = NVML_ERROR_INSUFFICIENT_RESOURCES;
    for (unsigned int n = 0; n < p->startCount && code == NVML_ERROR_INSUFFICIENT_RESOURCES; n++) {
      unsigned int at = switched("adversarial") ? p->startCount - 1 - n : n;
      code = make(call, t.gpu, p, p->starts[at], instance);
    }
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuInstances(nvmlDevice_t device, unsigned int profileId,
                                              nvmlGpuInstance_t *instances, unsigned int *count) {
  WITH_PROFILE("nvmlDeviceGetGpuInstances", 0, {
    *count = 0;
    if (!gpu->current) code = NVML_ERROR_NOT_SUPPORTED;
    for (unsigned int s = 0; s < MAX_INSTANCES && code == NVML_SUCCESS; s++)
      if (gpu->instances[s].used && &model->profiles[gpu->instances[s].profile] == p)
        instances[(*count)++] = instance_handle(t.gpu, s);
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuInstanceById(nvmlDevice_t device, unsigned int id, nvmlGpuInstance_t *instance) {
  CALL("nvmlDeviceGetGpuInstanceById", {
    target_t t;
    if (!find_device(device, &t)) code = NVML_ERROR_INVALID_ARGUMENT;
    else if (!machine.gpus[t.gpu].hasMig || !state->gpus[t.gpu].current) code = NVML_ERROR_NOT_SUPPORTED;
    else if (switched("no-monitor")) code = NVML_ERROR_NO_PERMISSION;
    else {
      code = NVML_ERROR_NOT_FOUND;
      for (unsigned int s = 0; s < MAX_INSTANCES; s++)
        if (state->gpus[t.gpu].instances[s].used && state->gpus[t.gpu].instances[s].id == id) {
          *instance = instance_handle(t.gpu, s);
          code = NVML_SUCCESS;
        }
    }
  });
}

EXPORT nvmlReturn_t nvmlGpuInstanceGetInfo(nvmlGpuInstance_t instance, nvmlGpuInstanceInfo_t *info) {
  CALL("nvmlGpuInstanceGetInfo", {
    target_t t;
    if (!find_instance(instance, &t)) {
      code = NVML_ERROR_INVALID_ARGUMENT;
    } else {
      const instance_t *i = &state->gpus[t.gpu].instances[t.slot];
      info->device = device_handle(t.gpu);
      info->id = i->id;
      info->profileId = machine.gpus[t.gpu].profiles[i->profile].id;
      info->placement = (nvmlGpuInstancePlacement_t){i->start, i->size};
    }
  });
}

EXPORT nvmlReturn_t nvmlGpuInstanceDestroy(nvmlGpuInstance_t instance) {
  CALL("nvmlGpuInstanceDestroy", {
    target_t t;
    if (!find_instance(instance, &t)) {
      code = NVML_ERROR_INVALID_ARGUMENT;
    } else if (switched("unprivileged")) {
      code = NVML_ERROR_NO_PERMISSION;
    } else {
      instance_t *i = &state->gpus[t.gpu].instances[t.slot];
      note(call, "gpu=%u gi=%u profile=%u start=%u serial=%u", t.gpu, i->id, machine.gpus[t.gpu].profiles[i->profile].id,
           i->start, i->serial);
      for (unsigned int c = 0; c < 8; c++)
        if (i->computes[c].used && !switched("bug-destroy-order")) code = NVML_ERROR_IN_USE;
      if (code == NVML_SUCCESS && has_clients(t.gpu, i->id) && !switched("bug-destroy-order")) code = NVML_ERROR_IN_USE;
      if (code == NVML_SUCCESS) i->used = 0;
    }
  });
}
