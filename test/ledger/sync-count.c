/* Counts fsync and fdatasync calls of the process that it is preloaded into: one byte each, appended to the file that
   SYNC_COUNT_FILE names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void count(void) {
  const char *path = getenv("SYNC_COUNT_FILE");
  if (!path) return;
  int out = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (out < 0) return;
  if (write(out, "x", 1) != 1) abort();
  close(out);
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  count();
  return real(fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  count();
  return real(fd);
}
