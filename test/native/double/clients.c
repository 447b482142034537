/* Fake clients of the cards: one line each in the file `clients`, which tests write and faults append to. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "double.h"

/* A client that is a real process is there as long as the process is; `live:TICKS` says since when it runs. */
static int is_there(unsigned int pid, const char *life) {
  char path[64], text[1024] = "", *rest;
  unsigned long long since = 0;
  if (strcmp(life, "live") == 0) return kill((int)pid, 0) == 0 || errno != ESRCH;
  if (strncmp(life, "live:", 5) != 0) return 1;
  snprintf(path, sizeof path, "/proc/%u/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  /* The 22nd word; the 2nd is a name in brackets, which may hold anything. */
  rest = strrchr(text, ')');
  if (rest == NULL || sscanf(rest + 1, " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &since) != 1)
    return 0;
  return strtoull(life + 5, NULL, 10) == since;
}

unsigned int clients_read(client_t *clients, unsigned int max) {
  char path[1200], line[256];
  unsigned int count = 0;
  FILE *file = fopen(machine_path("clients", path, sizeof path), "r");
  if (file == NULL) return 0;
  while (count < max && fgets(line, sizeof line, file) != NULL) {
    client_t *c = &clients[count];
    int instance = -1;
    char life[32] = "";
    memset(c, 0, sizeof *c);
    c->kind = 'C';
    if (sscanf(line, "%u %u %d %u %c %63s %31s", &c->pid, &c->gpu, &instance, &c->memoryMiB, &c->kind, c->name, life) <
        4)
      continue;
    if (!is_there(c->pid, life)) continue;
    c->instance = instance < 0 ? NO_INSTANCE : (unsigned int)instance;
    count++;
  }
  fclose(file);
  return count;
}

void client_add(const char *line) {
  char path[1200];
  FILE *file = fopen(machine_path("clients", path, sizeof path), "a");
  if (file == NULL) return;
  fprintf(file, "%s\n", line);
  fclose(file);
}

int has_clients(unsigned int gpu, unsigned int instance) {
  client_t clients[MAX_CLIENTS];
  unsigned int count = clients_read(clients, MAX_CLIENTS);
  for (unsigned int i = 0; i < count; i++)
    if (clients[i].gpu == gpu && (instance == NO_INSTANCE || clients[i].instance == instance)) return 1;
  return 0;
}

int has_whole_gpu_clients(unsigned int gpu) {
  client_t clients[MAX_CLIENTS];
  unsigned int count = clients_read(clients, MAX_CLIENTS);
  for (unsigned int i = 0; i < count; i++)
    if (clients[i].gpu == gpu && clients[i].instance == NO_INSTANCE) return 1;
  return 0;
}
