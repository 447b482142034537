/*
 * The frame around every call: it counts it, applies the fault script, and logs it with its result.
 *
 * A line of the file `faults` is `KIND FUNCTION N ARGUMENT...`: at the N-th call of the function since the script was
 * written (0: at every one; `N+`: at the N-th and all after it; `*`: any function). The reset of the tiny nvidia-smi is a
 * function too, `reset`; its answer is what nvidia-smi exits with.
 *   fail F N CODE         answer CODE and do nothing        fail-after F N CODE   do it, but answer CODE
 *   delay F N MS          wait first                        client F N LINE       first a client appears
 *   xid F N GPU XID GI    first an Xid event                crash F N             abort() before doing it
 *   crash-after F N       do it, then abort()
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "double.h"

static unsigned int initialised, generation;

unsigned int library_generation(void) { return generation; }

static void crash(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  abort();
}

static void write_log(const call_t *call, const char *result) {
  char path[1200], line[512];
  int length = snprintf(line, sizeof line, "%d %s%s%s -> %s\n", (int)getpid(), call->function,
                        call->note[0] == '\0' ? "" : " ", call->note, result);
  int file = open(machine_path("log", path, sizeof path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) return;
  if (write(file, line, (size_t)length) != length) perror("libnvidia-ml double: log");
  close(file);
}

static uint32_t count_call(const char *function) {
  for (unsigned int i = 0; i < 96; i++) {
    counter_t *counter = &state->counters[i];
    if (counter->function[0] == '\0') snprintf(counter->function, sizeof counter->function, "%s", function);
    if (strcmp(counter->function, function) == 0) return ++counter->calls;
  }
  return 0;
}

static void sleep_unlocked(unsigned int ms) {
  struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000L};
  state_unlock();
  nanosleep(&time, NULL);
  state_lock();
}

static void apply(call_t *call, const char *kind, const char *argument) {
  unsigned int gpu, xid;
  int instance = -1;
  if (strcmp(kind, "fail") == 0) call->forced = atoi(argument);
  if (strcmp(kind, "fail-after") == 0) call->forcedAfter = atoi(argument);
  if (strcmp(kind, "crash-after") == 0) call->crashAfter = 1;
  if (strcmp(kind, "client") == 0) client_add(argument);
  if (strcmp(kind, "xid") == 0 && sscanf(argument, "%u %u %d", &gpu, &xid, &instance) >= 2)
    add_xid(gpu, xid, instance < 0 ? NO_INSTANCE : (unsigned int)instance);
  if (strcmp(kind, "delay") == 0) sleep_unlocked((unsigned int)atoi(argument));
  if (strcmp(kind, "crash") == 0) {
    write_log(call, "crash");
    crash();
  }
}

/* A script that was replaced starts counting anew. */
static FILE *open_faults(void) {
  char path[1200];
  struct stat info;
  FILE *file = fopen(machine_path("faults", path, sizeof path), "r");
  uint64_t inode = 0;
  if (file != NULL && fstat(fileno(file), &info) == 0) inode = (uint64_t)info.st_ino;
  if (inode != state->faultsInode) memset(state->counters, 0, sizeof state->counters);
  state->faultsInode = inode;
  return file;
}

static void apply_faults(call_t *call) {
  char line[256], kind[16], function[64], when[16], argument[160];
  FILE *file = open_faults();
  uint32_t calls = count_call(call->function), allCalls = count_call("*");
  if (file == NULL) return;
  while (fgets(line, sizeof line, file) != NULL) {
    argument[0] = '\0';
    if (sscanf(line, "%15s %63s %15s %159[^\n]", kind, function, when, argument) < 3) continue;
    int any = strcmp(function, "*") == 0;
    if (!any && strcmp(function, call->function) != 0) continue;
    unsigned int at = (unsigned int)atoi(when), now = any ? allCalls : calls;
    if (at == 0 || at == now || (now > at && strchr(when, '+') != NULL)) apply(call, kind, argument);
  }
  fclose(file);
}

nvmlReturn_t enter(call_t *call, const char *function) {
  memset(call, 0, sizeof *call);
  call->function = function;
  state_lock();
  int needsInit = strncmp(function, "nvml", 4) == 0 && strcmp(function, "nvmlInit_v2") != 0;
  if (needsInit && initialised == 0) return NVML_ERROR_UNINITIALIZED;
  apply_faults(call);
  return call->forced;
}

nvmlReturn_t leave(call_t *call, nvmlReturn_t code) {
  char result[16];
  if (call->forcedAfter != 0 && code == NVML_SUCCESS) code = call->forcedAfter;
  snprintf(result, sizeof result, "%d", code);
  write_log(call, call->crashAfter ? "crash-after" : result);
  if (call->crashAfter) crash();
  state_unlock();
  return code;
}

void note(call_t *call, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(call->note, sizeof call->note, format, arguments);
  va_end(arguments);
}

static void attach(int32_t from, int32_t to) {
  for (unsigned int i = 0; i < 64; i++)
    if (state->attached[i] == from) {
      state->attached[i] = to;
      return;
    }
}

nvmlReturn_t initialise(call_t *call) {
  if (switched("no-driver")) return NVML_ERROR_DRIVER_NOT_LOADED;
  if (switched("other-version")) return NVML_ERROR_LIB_RM_VERSION_MISMATCH;
  if (switched("no-access")) return NVML_ERROR_NO_PERMISSION;
  if (initialised == 0 && !machine_read()) return NVML_ERROR_UNKNOWN;
  if (initialised++ == 0) {
    generation++;
    attached_by_others(); /* forgets processes that died */
    attach(0, (int32_t)getpid());
  }
  note(call, "gpus=%u", machine.gpuCount);
  return NVML_SUCCESS;
}

nvmlReturn_t shut_down(void) {
  if (--initialised == 0) attach((int32_t)getpid(), 0);
  return NVML_SUCCESS;
}
