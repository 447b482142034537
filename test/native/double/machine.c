/* Reads the machine that the double plays: cards, profiles and places, one per line, written by the test support. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "double.h"

machine_t machine;

static const char *folder(void) {
  static char found[1024];
  const char *named = getenv("MICA_DOUBLE_DIR");
  if (named != NULL) return named;
  if (found[0] == '\0') {
    Dl_info info;
    if (dladdr((void *)&machine_read, &info) != 0 && strchr(info.dli_fname, '/') != NULL &&
        strstr(info.dli_fname, ".so") != NULL) {
      snprintf(found, sizeof found, "%s", info.dli_fname);
    } else {
      ssize_t length = readlink("/proc/self/exe", found, sizeof found - 1);
      found[length > 0 ? length : 0] = '\0';
    }
    char *slash = strrchr(found, '/');
    if (slash != NULL) *slash = '\0';
  }
  return found;
}

const char *machine_path(const char *file, char *buffer, unsigned long size) {
  snprintf(buffer, size, "%s/%s", folder(), file);
  return buffer;
}

int switched(const char *word) {
  char path[1200], text[256] = "";
  const char *environment = getenv("MICA_DOUBLE_SWITCHES");
  if (environment != NULL && strstr(environment, word) != NULL) return 1;
  FILE *file = fopen(machine_path("switches", path, sizeof path), "r");
  if (file == NULL) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  return strstr(text, word) != NULL;
}

static void read_starts(profile_t *profile, char *text) {
  char *rest = NULL;
  /* Not strtok: other doubles in this process read their machines at the same time. */
  for (char *start = strtok_r(text, ",", &rest); start != NULL && profile->startCount < MAX_STARTS;
       start = strtok_r(NULL, ",", &rest))
    profile->starts[profile->startCount++] = (unsigned int)atoi(start);
}

static void read_line(char *line) {
  model_t *gpu = machine.gpuCount > 0 ? &machine.gpus[machine.gpuCount - 1] : NULL;
  char word[16] = "", rest[512] = "";
  unsigned int toggle;
  if (sscanf(line, "%15s %511[^\n]", word, rest) < 2) return;
  if (strcmp(word, "driver") == 0) {
    snprintf(machine.driver, sizeof machine.driver, "%.63s", rest);
  } else if (strcmp(word, "gpu") == 0 && machine.gpuCount < MAX_GPUS) {
    gpu = &machine.gpus[machine.gpuCount++];
    sscanf(rest, "%95s %31s %x %x %u %u %u %u %u %31s", gpu->uuid, gpu->busId, &gpu->pciDeviceId,
           &gpu->pciSubSystemId, &gpu->totalMiB, &toggle, &gpu->modeSurvivesReboot, &gpu->listsWithMigOff,
           &gpu->hasMig, gpu->vbios);
    gpu->toggle = (toggle_t)toggle;
  } else if (strcmp(word, "name") == 0 && gpu != NULL) {
    snprintf(gpu->name, sizeof gpu->name, "%.95s", rest);
  } else if (strcmp(word, "profile") == 0 && gpu != NULL && gpu->profileCount < MAX_PROFILES) {
    profile_t *p = &gpu->profiles[gpu->profileCount++];
    char starts[128] = "";
    sscanf(rest, "%u %u %u %u %u %u %u %u %u %u %u %u %31s %127s", &p->nvmlEnum, &p->id, &p->slices, &p->size,
           &p->maxCount, &p->memoryMiB, &p->sms, &p->copy, &p->decoders, &p->encoders, &p->jpeg, &p->ofa, p->name,
           starts);
    read_starts(p, starts);
  } else if (strcmp(word, "node") == 0 && gpu != NULL && gpu->nodeCount < 32) {
    unsigned int n = gpu->nodeCount++;
    sscanf(rest, "%u %u %u", &gpu->nodes[n].size, &gpu->nodes[n].start, &gpu->nodes[n].id);
  }
}

int machine_read(void) {
  char path[1200], line[640];
  FILE *file = fopen(machine_path("machine", path, sizeof path), "r");
  if (file == NULL) return 0;
  memset(&machine, 0, sizeof machine);
  while (fgets(line, sizeof line, file) != NULL) read_line(line);
  fclose(file);
  return 1;
}
