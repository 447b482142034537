/* Cards and their MIG devices: who they are, how much memory, who computes on them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "double.h"

#define EXPORT __attribute__((visibility("default")))
#define MIB (1024ULL * 1024ULL)
/* What an empty MIG device reports as used. */
#define OVERHEAD_MIB 12U

static nvmlReturn_t copy_text(char *to, unsigned int length, const char *from) {
  if (strlen(from) + 1 > length) return NVML_ERROR_INSUFFICIENT_SIZE;
  strcpy(to, from);
  return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlInit_v2(void) { CALL("nvmlInit_v2", { code = initialise(call); }); }

EXPORT nvmlReturn_t nvmlShutdown(void) { CALL("nvmlShutdown", { code = shut_down(); }); }

EXPORT const char *nvmlErrorString(nvmlReturn_t code) {
  switch (code) {
    case NVML_SUCCESS: return "Success";
    case NVML_ERROR_UNINITIALIZED: return "Uninitialized";
    case NVML_ERROR_INVALID_ARGUMENT: return "Invalid Argument";
    case NVML_ERROR_NOT_SUPPORTED: return "Not Supported";
    case NVML_ERROR_NO_PERMISSION: return "Insufficient Permissions";
    case NVML_ERROR_NOT_FOUND: return "Not Found";
    case NVML_ERROR_INSUFFICIENT_SIZE: return "Insufficient Size";
    case NVML_ERROR_DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case NVML_ERROR_TIMEOUT: return "Timeout";
    case NVML_ERROR_RESET_REQUIRED: return "GPU requires reset";
    case NVML_ERROR_IN_USE: return "In use by another client";
    case NVML_ERROR_INSUFFICIENT_RESOURCES: return "Insufficient Resources";
    default: return "Unknown Error";
  }
}

EXPORT nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length) {
  CALL("nvmlSystemGetDriverVersion", { code = copy_text(version, length, machine.driver); });
}

EXPORT nvmlReturn_t nvmlSystemGetProcessName(unsigned int pid, char *name, unsigned int length) {
  CALL("nvmlSystemGetProcessName", {
    client_t clients[MAX_CLIENTS];
    unsigned int count = clients_read(clients, MAX_CLIENTS);
    code = NVML_ERROR_NOT_FOUND;
    for (unsigned int i = 0; i < count && code == NVML_ERROR_NOT_FOUND; i++) {
      if (clients[i].pid != pid || clients[i].name[0] == '\0' || clients[i].name[0] == '-') continue;
      snprintf(name, length, "%s", clients[i].name);
      code = NVML_SUCCESS;
    }
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
  CALL("nvmlDeviceGetCount_v2", { *count = machine.gpuCount; });
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
  CALL("nvmlDeviceGetHandleByIndex_v2", {
    if (index >= machine.gpuCount) code = NVML_ERROR_INVALID_ARGUMENT;
    else *device = device_handle(index);
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device) {
  CALL("nvmlDeviceGetHandleByUUID", {
    code = NVML_ERROR_NOT_FOUND;
    for (unsigned int i = 0; i < machine.gpuCount; i++)
      if (strcmp(machine.gpus[i].uuid, uuid) == 0) {
        *device = device_handle(i);
        code = NVML_SUCCESS;
      }
  });
}

/* The block given last sees `t` and `model`. */
#define ON_DEVICE(function, ...)                                \
  CALL(function, {                                              \
    target_t t;                                                 \
    if (!find_device(device, &t)) {                             \
      code = NVML_ERROR_INVALID_ARGUMENT;                       \
    } else {                                                    \
      const model_t *model = &machine.gpus[t.gpu];              \
      note(call, "gpu=%u", t.gpu);                              \
      (void)model;                                              \
      __VA_ARGS__                                               \
    }                                                           \
  })

EXPORT nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
  ON_DEVICE("nvmlDeviceGetName", { code = copy_text(name, length, model->name); });
}

EXPORT nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned int *index) {
  ON_DEVICE("nvmlDeviceGetIndex", { *index = t.gpu; });
}

EXPORT nvmlReturn_t nvmlDeviceGetVbiosVersion(nvmlDevice_t device, char *version, unsigned int length) {
  ON_DEVICE("nvmlDeviceGetVbiosVersion", { code = copy_text(version, length, model->vbios); });
}

EXPORT nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
  ON_DEVICE("nvmlDeviceGetPciInfo_v3", {
    memset(pci, 0, sizeof *pci);
    snprintf(pci->busId, sizeof pci->busId, "%.31s", model->busId);
    snprintf(pci->busIdLegacy, sizeof pci->busIdLegacy, "%.12s", model->busId + 4);
    sscanf(model->busId, "%x:%x:%x", &pci->domain, &pci->bus, &pci->device);
    pci->pciDeviceId = model->pciDeviceId;
    pci->pciSubSystemId = model->pciSubSystemId;
  });
}

/* v5-like, from card, GPU instance and compute instance alone: the same again whenever they are the same. */
static void mig_uuid(const target_t *t, char *uuid, unsigned int length) {
  const instance_t *instance = &state->gpus[t->gpu].instances[t->slot];
  char text[160];
  uint64_t words[2];
  for (unsigned int w = 0; w < 2; w++) {
    snprintf(text, sizeof text, "%u/%s/%u/%u", w, machine.gpus[t->gpu].uuid, instance->id, t->compute);
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char *c = text; *c != '\0'; c++) hash = (hash ^ (uint64_t)(unsigned char)*c) * 0x100000001b3ULL;
    words[w] = hash ^ (hash >> 29);
  }
  snprintf(uuid, length, "MIG-%08x-%04x-5%03x-%04x-%012llx", (unsigned int)(words[0] >> 32),
           (unsigned int)(words[0] >> 16) & 0xffff, (unsigned int)words[0] & 0xfff,
           ((unsigned int)(words[1] >> 48) & 0x3fff) | 0x8000, (unsigned long long)words[1] & 0xffffffffffffULL);
}

EXPORT nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
  CALL("nvmlDeviceGetUUID", {
    target_t t;
    if (find_device(device, &t)) code = copy_text(uuid, length, machine.gpus[t.gpu].uuid);
    else if (find_mig(device, &t)) mig_uuid(&t, uuid, length);
    else code = NVML_ERROR_INVALID_ARGUMENT;
  });
}

static nvmlReturn_t memory_of(nvmlDevice_t device, unsigned long long *total, unsigned long long *used) {
  target_t t;
  client_t clients[MAX_CLIENTS];
  unsigned int count = clients_read(clients, MAX_CLIENTS), instance = NO_INSTANCE, usedMiB = OVERHEAD_MIB;
  if (find_device(device, &t)) {
    *total = machine.gpus[t.gpu].totalMiB * MIB;
  } else if (find_mig(device, &t)) {
    const instance_t *i = &state->gpus[t.gpu].instances[t.slot];
    instance = i->id;
    *total = machine.gpus[t.gpu].profiles[i->profile].memoryMiB * MIB;
  } else {
    return NVML_ERROR_INVALID_ARGUMENT;
  }
  for (unsigned int i = 0; i < count; i++)
    if (clients[i].gpu == t.gpu && (instance == NO_INSTANCE || clients[i].instance == instance))
      usedMiB += clients[i].memoryMiB;
  *used = usedMiB * MIB;
  return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
  CALL("nvmlDeviceGetMemoryInfo", {
    code = memory_of(device, &memory->total, &memory->used);
    memory->free = memory->total - memory->used;
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory) {
  CALL("nvmlDeviceGetMemoryInfo_v2", {
    if (memory->version != VERSION_WORD(nvmlMemory_v2_t, 2)) {
      code = NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    } else {
      code = memory_of(device, &memory->total, &memory->used);
      memory->free = memory->total - memory->used;
      memory->reserved = 0;
    }
  });
}

/* On a cut card, the whole card's list is for root; a MIG device's own list is for everybody. */
static nvmlReturn_t list_processes(nvmlDevice_t device, char kind, unsigned int *count, nvmlProcessInfo_t *infos) {
  target_t t;
  client_t clients[MAX_CLIENTS];
  unsigned int all = clients_read(clients, MAX_CLIENTS), room = *count, found = 0, only = NO_INSTANCE;
  if (find_mig(device, &t)) only = state->gpus[t.gpu].instances[t.slot].id;
  else if (!find_device(device, &t)) return NVML_ERROR_INVALID_ARGUMENT;
  else if (state->gpus[t.gpu].current && switched("unprivileged")) return NVML_ERROR_NO_PERMISSION;
  for (unsigned int i = 0; i < all; i++) {
    if (clients[i].gpu != t.gpu || clients[i].kind != kind) continue;
    if (only != NO_INSTANCE && clients[i].instance != only) continue;
    if (found < room && infos != NULL) {
      unsigned int compute = clients[i].instance == NO_INSTANCE ? NO_INSTANCE : 0;
      infos[found] = (nvmlProcessInfo_t){clients[i].pid, clients[i].memoryMiB * MIB, clients[i].instance, compute};
    }
    found++;
  }
  *count = found;
  return found > room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                            nvmlProcessInfo_t *infos) {
  CALL("nvmlDeviceGetComputeRunningProcesses_v3", { code = list_processes(device, 'C', count, infos); });
}

EXPORT nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                             nvmlProcessInfo_t *infos) {
  CALL("nvmlDeviceGetGraphicsRunningProcesses_v3", { code = list_processes(device, 'G', count, infos); });
}

EXPORT nvmlReturn_t nvmlDeviceGetMPSComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                               nvmlProcessInfo_t *infos) {
  CALL("nvmlDeviceGetMPSComputeRunningProcesses_v3", { code = list_processes(device, 'M', count, infos); });
}

EXPORT nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *count) {
  ON_DEVICE("nvmlDeviceGetMaxMigDeviceCount", {
    *count = 0;
    for (unsigned int p = 0; p < model->profileCount; p++)
      if (model->profiles[p].maxCount > *count) *count = model->profiles[p].maxCount;
  });
}

EXPORT nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t device, unsigned int *is) {
  CALL("nvmlDeviceIsMigDeviceHandle", {
    target_t t;
    if (find_mig(device, &t)) *is = 1;
    else if (find_device(device, &t)) *is = 0;
    else code = NVML_ERROR_INVALID_ARGUMENT;
  });
}

/* In the order of GPU instance ids, as `nvidia-smi -L` prints them. */
EXPORT nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, nvmlDevice_t *mig) {
  ON_DEVICE("nvmlDeviceGetMigDeviceHandleByIndex", {
    const gpu_t *g = &state->gpus[t.gpu];
    unsigned int seen = 0;
    code = NVML_ERROR_NOT_FOUND;
    for (unsigned int id = 0; id < 64 && code != NVML_SUCCESS; id++)
      for (unsigned int s = 0; s < MAX_INSTANCES && code != NVML_SUCCESS; s++) {
        if (!g->instances[s].used || g->instances[s].id != id) continue;
        for (unsigned int c = 0; c < 8 && code != NVML_SUCCESS; c++) {
          if (!g->instances[s].computes[c].used || seen++ != index) continue;
          *mig = mig_handle(t.gpu, s, c);
          code = NVML_SUCCESS;
        }
      }
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t mig, nvmlDevice_t *device) {
  CALL("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", {
    target_t t;
    if (find_mig(mig, &t)) *device = device_handle(t.gpu);
    else code = NVML_ERROR_INVALID_ARGUMENT;
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuInstanceId(nvmlDevice_t device, unsigned int *id) {
  CALL("nvmlDeviceGetGpuInstanceId", {
    target_t t;
    if (find_mig(device, &t)) *id = state->gpus[t.gpu].instances[t.slot].id;
    else code = NVML_ERROR_INVALID_ARGUMENT;
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetComputeInstanceId(nvmlDevice_t device, unsigned int *id) {
  CALL("nvmlDeviceGetComputeInstanceId", {
    target_t t;
    if (find_mig(device, &t)) *id = t.compute;
    else code = NVML_ERROR_INVALID_ARGUMENT;
  });
}
