/* Preloaded into a sidecar: names such as ip-127-0-0-1.example have the address that they tell, or two where -and- stands between. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  lookup *real = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
  const char *told = name ? strstr(name, "ip-") : NULL;
  unsigned a[8];
  if (!told || !strstr(told, ".example")) return real(name, service, hints, found);
  int count = sscanf(told, "ip-%u-%u-%u-%u-and-%u-%u-%u-%u", a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7);
  char text[16];
  snprintf(text, sizeof text, "%u.%u.%u.%u", a[0] & 255, a[1] & 255, a[2] & 255, a[3] & 255);
  int failed = real(text, service, hints, found);
  if (failed || count < 8) return failed;
  struct addrinfo *last = *found;
  while (last->ai_next) last = last->ai_next;
  snprintf(text, sizeof text, "%u.%u.%u.%u", a[4] & 255, a[5] & 255, a[6] & 255, a[7] & 255);
  return real(text, service, hints, &last->ai_next);
}
