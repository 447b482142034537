/* State that processes share: one mapped file under an exclusive lock, and what a reset or a crash does to it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>
#include "double.h"

state_t *state;

static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;
static int stateFile = -1;

static void map_state(void) {
  char path[1200];
  stateFile = open(machine_path("state", path, sizeof path), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (stateFile < 0 || ftruncate(stateFile, sizeof *state) != 0) {
    fprintf(stderr, "libnvidia-ml double: no state in %s: %s\n", path, strerror(errno));
    abort();
  }
  state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, stateFile, 0);
}

/* The lock of the file keeps processes apart, the mutex keeps the threads of this one apart. */
void state_lock(void) {
  pthread_mutex_lock(&threads);
  if (state == NULL) map_state();
  while (flock(stateFile, LOCK_EX) != 0 && errno == EINTR) continue;
}

void state_unlock(void) {
  flock(stateFile, LOCK_UN);
  pthread_mutex_unlock(&threads);
}

void reset_gpu(unsigned int gpu) {
  gpu_t *g = &state->gpus[gpu];
  memset(g->instances, 0, sizeof g->instances);
  g->epoch++;
  g->current = g->pending;
}

void add_xid(unsigned int gpu, unsigned int xid, unsigned int instance) {
  state->xids[state->xidCount % 256] = (xid_t){gpu, xid, instance};
  state->xidCount++;
}

int attached_by_others(void) {
  for (unsigned int i = 0; i < 64; i++) {
    int32_t pid = state->attached[i];
    if (pid == 0 || pid == (int32_t)getpid()) continue;
    if (kill(pid, 0) == 0 || errno == EPERM) return 1;
    state->attached[i] = 0;
  }
  return 0;
}
