/*
 * What the files of the double share: the machine it plays (read once), its state (shared by processes), and the
 * frame around every call, which counts it, applies the fault script, and writes the log.
 */
#ifndef MICA_DOUBLE_H
#define MICA_DOUBLE_H

#include <stdint.h>
#include "nvml-abi.h"

#define MAX_GPUS 16
#define MAX_PROFILES 24
#define MAX_STARTS 16
#define MAX_INSTANCES 16
#define MAX_CLIENTS 256

/* --- the machine, as the test support wrote it into the file `machine` --- */

typedef struct {
  unsigned int nvmlEnum, id, slices, size, maxCount, memoryMiB, sms, copy, decoders, encoders, jpeg, ofa;
  char name[32];
  /* In the order in which the driver fills them. */
  unsigned int starts[MAX_STARTS], startCount;
} profile_t;

/* How a change of the MIG mode takes effect on an idle card. */
typedef enum { AT_ONCE, AFTER_RESET, BY_OWN_RESET, AFTER_REBOOT } toggle_t;

typedef struct {
  char uuid[96], busId[32], name[96], vbios[32];
  unsigned int pciDeviceId, pciSubSystemId, totalMiB, modeSurvivesReboot, listsWithMigOff, hasMig;
  toggle_t toggle;
  profile_t profiles[MAX_PROFILES];
  unsigned int profileCount;
  struct { unsigned int size, start, id; } nodes[32];
  unsigned int nodeCount;
} model_t;

typedef struct {
  char driver[64];
  model_t gpus[MAX_GPUS];
  unsigned int gpuCount;
} machine_t;

extern machine_t machine;
int machine_read(void);
/* A file of this machine's folder: $MICA_DOUBLE_DIR, else where this library or program lies. */
const char *machine_path(const char *file, char *buffer, unsigned long size);
/* Whether the file `switches` or $MICA_DOUBLE_SWITCHES holds the word. */
int switched(const char *word);

/* --- its state --- */

typedef struct { uint32_t used, id, profile, slices, start; } compute_t;
typedef struct { uint32_t used, id, profile, start, size, serial; compute_t computes[8]; } instance_t;
typedef struct { uint32_t current, pending, epoch; instance_t instances[MAX_INSTANCES]; } gpu_t;
typedef struct { uint32_t gpu, xid, instance; } xid_t;
typedef struct { char function[64]; uint32_t calls; } counter_t;

typedef struct {
  uint32_t serial, xidCount;
  uint64_t faultsInode;
  int32_t attached[64];
  xid_t xids[256];
  counter_t counters[96];
  gpu_t gpus[MAX_GPUS];
} state_t;

extern state_t *state;
void state_lock(void);
void state_unlock(void);
void reset_gpu(unsigned int gpu);
void add_xid(unsigned int gpu, unsigned int xid, unsigned int instance);
/* Whether a living process other than this one has the library open. */
int attached_by_others(void);

/* --- the frame of a call --- */

typedef struct {
  const char *function;
  char note[256];
  nvmlReturn_t forced;
  int forcedAfter, crashAfter, counted;
} call_t;

/* Takes the lock. A code other than SUCCESS means: answer that at once. */
nvmlReturn_t enter(call_t *call, const char *function);
/* Writes the log, releases the lock, answers the code. */
nvmlReturn_t leave(call_t *call, nvmlReturn_t code);
void note(call_t *call, const char *format, ...);
nvmlReturn_t initialise(call_t *call);
nvmlReturn_t shut_down(void);
/* How often this process initialised the library: handles from before are void. */
unsigned int library_generation(void);

/* The block given last runs under the lock and assigns `code`. */
#define CALL(function, ...)                              \
  do {                                                   \
    call_t call_;                                        \
    call_t *call = &call_;                               \
    nvmlReturn_t code = enter(call, function);           \
    if (code == NVML_SUCCESS) __VA_ARGS__                \
    return leave(call, code);                            \
  } while (0)

/* --- clients: lines `PID GPU INSTANCE MIB [KIND [NAME [live[:SINCE]]]]` of the file `clients` --- */

typedef struct { unsigned int pid, gpu, instance, memoryMiB; char kind, name[64]; } client_t;
unsigned int clients_read(client_t *clients, unsigned int max);
void client_add(const char *line);
/* `instance`: NO_INSTANCE for any client of the GPU. */
int has_clients(unsigned int gpu, unsigned int instance);
/* Clients of the GPU that sit in no instance. */
int has_whole_gpu_clients(unsigned int gpu);

/* --- handles: an index with the epoch of card and library and the serial of the instance, so that a stale one shows --- */

nvmlDevice_t device_handle(unsigned int gpu);
nvmlGpuInstance_t instance_handle(unsigned int gpu, unsigned int slot);
nvmlComputeInstance_t compute_handle(unsigned int gpu, unsigned int slot, unsigned int compute);
nvmlDevice_t mig_handle(unsigned int gpu, unsigned int slot, unsigned int compute);

typedef struct { unsigned int gpu, slot, compute; } target_t;
int find_device(nvmlDevice_t handle, target_t *target);
int find_mig(nvmlDevice_t handle, target_t *target);
int find_instance(nvmlGpuInstance_t handle, target_t *target);
int find_compute(nvmlComputeInstance_t handle, target_t *target);

#endif
