/* Event sets: a wait sees the Xid events of its cards that came after the card was registered. */
#include <string.h>
#include <time.h>
#include "double.h"

#define EXPORT __attribute__((visibility("default")))

/* Of this process; the events themselves are in the shared state. */
static struct { int used; uint32_t cards, seen, registeredAt[MAX_GPUS]; } sets[32];

static int find_set(nvmlEventSet_t handle, unsigned int *set) {
  uintptr_t number = (uintptr_t)handle;
  *set = (unsigned int)(number & 0xff) - 1;
  return number >> 8 == 0x5e7 && *set < 32 && sets[*set].used;
}

EXPORT nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *set) {
  CALL("nvmlEventSetCreate", {
    unsigned int free = 0;
    while (free < 31 && sets[free].used) free++;
    sets[free].used = 1;
    sets[free].cards = 0;
    sets[free].seen = state->xidCount;
    *set = (nvmlEventSet_t)(uintptr_t)((0x5e7U << 8) | (free + 1));
  });
}

EXPORT nvmlReturn_t nvmlEventSetFree(nvmlEventSet_t handle) {
  CALL("nvmlEventSetFree", {
    unsigned int set;
    if (find_set(handle, &set)) sets[set].used = 0;
    else code = NVML_ERROR_INVALID_ARGUMENT;
  });
}

EXPORT nvmlReturn_t nvmlDeviceGetSupportedEventTypes(nvmlDevice_t device, unsigned long long *types) {
  CALL("nvmlDeviceGetSupportedEventTypes", {
    target_t t;
    *types = EVENT_XID;
    if (!find_device(device, &t)) code = NVML_ERROR_INVALID_ARGUMENT;
  });
}

EXPORT nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long types, nvmlEventSet_t handle) {
  CALL("nvmlDeviceRegisterEvents", {
    target_t t;
    unsigned int set;
    if (!find_device(device, &t) || !find_set(handle, &set)) code = NVML_ERROR_INVALID_ARGUMENT;
    else if (types != EVENT_XID) code = NVML_ERROR_NOT_SUPPORTED;
    else if ((sets[set].cards & (1U << t.gpu)) == 0) {
      sets[set].cards |= 1U << t.gpu;
      sets[set].registeredAt[t.gpu] = state->xidCount;
    }
  });
}

static int next_event(unsigned int set, nvmlEventData_t *data) {
  while (sets[set].seen < state->xidCount) {
    uint32_t number = sets[set].seen++;
    const xid_t *xid = &state->xids[number % 256];
    if ((sets[set].cards & (1U << xid->gpu)) == 0 || number < sets[set].registeredAt[xid->gpu]) continue;
    memset(data, 0, sizeof *data);
    data->device = device_handle(xid->gpu);
    data->eventType = EVENT_XID;
    data->eventData = xid->xid;
    data->gpuInstanceId = xid->instance;
    data->computeInstanceId = xid->instance == NO_INSTANCE ? NO_INSTANCE : 0;
    return 1;
  }
  return 0;
}

EXPORT nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t handle, nvmlEventData_t *data, unsigned int timeoutMs) {
  CALL("nvmlEventSetWait_v2", {
    unsigned int set, waitedMs = 0;
    const struct timespec pause = {0, 5000000L};
    if (!find_set(handle, &set)) {
      code = NVML_ERROR_INVALID_ARGUMENT;
    } else {
      /* Nothing is waited for after the last look: what comes then is for the next wait. */
      while (!next_event(set, data)) {
        if (waitedMs >= timeoutMs) {
          code = NVML_ERROR_TIMEOUT;
          break;
        }
        state_unlock();
        nanosleep(&pause, NULL);
        waitedMs += 5;
        state_lock();
      }
    }
  });
}
