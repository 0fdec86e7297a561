/* Counts what a program and its children do to files below one folder, and at the chosen moment
 * kills the whole process group, or has the system refuse, as a power cut or a full disk would.
 *
 *   FAULTS_ROOT   only calls on paths below this folder count
 *   FAULTS_PAGE   a file of 16 bytes, shared by all processes: calls so far; whether it happened
 *   FAULTS_TRACE  a file that gets a line for each counted call, or unset
 *   FAULTS_AT     the moment, counted from 1; 0 for never
 *   FAULTS_WHAT   before | half | after: kill there; or the number of an errno
 *   FAULTS_LASTS  1: refuse from that moment on, 0: refuse once
 *   FAULTS_ONLY   1: only what needs room counts (a full disk still removes and syncs)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PASS, REFUSE, BEFORE, HALF, AFTER };

static const char *root;
static volatile long *page;
static int trace = -1, what, lasts, only;
static long at;

/* Also called in a process that was forked, and has other variables since. */
__attribute__((constructor)) void faults_begin(void) {
  const char *name = getenv("FAULTS_PAGE");
  page = NULL;
  trace = -1;
  root = getenv("FAULTS_ROOT");
  if (!root || !name) return;
  int descriptor = syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return;
  page = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  syscall(SYS_close, descriptor);
  if (page == MAP_FAILED) { page = NULL; return; }
  const char *text = getenv("FAULTS_TRACE");
  if (text) trace = syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_APPEND | O_CLOEXEC);
  text = getenv("FAULTS_AT");
  at = text ? atol(text) : 0;
  text = getenv("FAULTS_WHAT");
  what = !text ? 0 : !strcmp(text, "before") ? -BEFORE : !strcmp(text, "half") ? -HALF
       : !strcmp(text, "after") ? -AFTER : atoi(text);
  text = getenv("FAULTS_LASTS");
  lasts = text && *text == '1';
  text = getenv("FAULTS_ONLY");
  only = text && *text == '1';
}

static void die(void) {
  page[1] = 1;
  kill(0, SIGKILL);
  for (;;) pause();
}

static int is_below(const char *path) {
  size_t length = strlen(root);
  return !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static void place_of(int folder, const char *path, char *place) {
  char link[64];
  ssize_t length = 0;
  if (*path != '/') {
    if (folder == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    length = readlink(link, place, PATH_MAX - 1);
    if (length < 0) length = 0;
    if (*path) place[length++] = '/';
  }
  snprintf(place + length, PATH_MAX - length, "%s", path);
}

static int consider(const char *call, const char *place, int needs_room) {
  if (!page || !is_below(place) || (only && !needs_room)) return PASS;
  int saved = errno;
  long count = __atomic_add_fetch(&page[0], 1, __ATOMIC_SEQ_CST);
  if (trace >= 0) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", count, call, place);
    syscall(SYS_write, trace, line, length);
  }
  errno = saved;
  if (!at || (lasts ? count < at : count != at)) return PASS;
  if (what == -BEFORE) die();
  if (what < 0) return -what;
  page[1] = 1;
  errno = what;
  return REFUSE;
}

static int consider_at(const char *call, int folder, const char *path, int needs_room) {
  if (!page || !path) return PASS;
  char place[2 * PATH_MAX];
  place_of(folder, path, place);
  return consider(call, place, needs_room);
}

static int consider_open(const char *call, int descriptor, int needs_room) {
  return consider_at(call, descriptor, "", needs_room);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define THEN(type, made) \
  do { type result = (made); if (fate == HALF || fate == AFTER) die(); return result; } while (0)
#define BY_PATH(room, name, folder, path, declared, passed) \
  int name declared { \
    int fate = consider_at(#name, folder, path, room); \
    if (fate == REFUSE) return -1; \
    REAL(name); THEN(int, real passed); }
#define BY_DESCRIPTOR(room, name, declared, passed) \
  int name declared { \
    int fate = consider_open(#name, fd, room); \
    if (fate == REFUSE) return -1; \
    REAL(name); THEN(int, real passed); }
#define WRITING(name, declared, passed, half) \
  ssize_t name declared { \
    int fate = consider_open(#name, fd, 1); \
    if (fate == REFUSE) return -1; \
    REAL(name); \
    if (fate == HALF) { real half; die(); } \
    THEN(ssize_t, real passed); }
#define OPENING(name, folder, declared, passed) \
  int name declared { \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
      va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); \
    } \
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT; \
    int fate = writes ? consider_at(#name, folder, path, !!(flags & O_CREAT)) : PASS; \
    if (fate == REFUSE) return -1; \
    REAL(name); THEN(int, real passed); }

WRITING(write, (int fd, const void *data, size_t n), (fd, data, n), (fd, data, n / 2))
WRITING(pwrite, (int fd, const void *data, size_t n, off_t o), (fd, data, n, o), (fd, data, n / 2, o))
WRITING(pwrite64, (int fd, const void *data, size_t n, off64_t o), (fd, data, n, o), (fd, data, n / 2, o))
WRITING(writev, (int fd, const struct iovec *v, int n), (fd, v, n), (fd, v, n / 2))
ssize_t sendfile(int fd, int from, off_t *o, size_t n) {
  int fate = consider_open("sendfile", fd, 1);
  if (fate == REFUSE) return -1;
  REAL(sendfile);
  if (fate == HALF) { real(fd, from, o, n / 2); die(); }
  THEN(ssize_t, real(fd, from, o, n));
}
ssize_t sendfile64(int fd, int from, off64_t *o, size_t n) { return sendfile(fd, from, (off_t *)o, n); }
ssize_t copy_file_range(int from, off64_t *a, int fd, off64_t *b, size_t n, unsigned flags) {
  int fate = consider_open("copy_file_range", fd, 1);
  if (fate == REFUSE) return -1;
  REAL(copy_file_range);
  THEN(ssize_t, real(from, a, fd, b, fate == HALF ? n / 2 : n, flags));
}
OPENING(open, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPENING(open64, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPENING(openat, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPENING(openat64, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
BY_PATH(1, creat, AT_FDCWD, path, (const char *path, mode_t mode), (path, mode))
BY_DESCRIPTOR(0, fsync, (int fd), (fd))
BY_DESCRIPTOR(0, fdatasync, (int fd), (fd))
BY_DESCRIPTOR(1, ftruncate, (int fd, off_t n), (fd, n))
BY_DESCRIPTOR(1, ftruncate64, (int fd, off64_t n), (fd, n))
BY_DESCRIPTOR(1, fallocate, (int fd, int mode, off_t o, off_t n), (fd, mode, o, n))
BY_DESCRIPTOR(0, fchmod, (int fd, mode_t mode), (fd, mode))
BY_PATH(0, chmod, AT_FDCWD, path, (const char *path, mode_t mode), (path, mode))
BY_PATH(0, fchmodat, folder, path, (int folder, const char *path, mode_t mode, int flags), (folder, path, mode, flags))
BY_PATH(1, mkdir, AT_FDCWD, path, (const char *path, mode_t mode), (path, mode))
BY_PATH(1, mkdirat, folder, path, (int folder, const char *path, mode_t mode), (folder, path, mode))
BY_PATH(0, rmdir, AT_FDCWD, path, (const char *path), (path))
BY_PATH(0, unlink, AT_FDCWD, path, (const char *path), (path))
BY_PATH(0, unlinkat, folder, path, (int folder, const char *path, int flags), (folder, path, flags))
BY_PATH(1, rename, AT_FDCWD, to, (const char *path, const char *to), (path, to))
BY_PATH(1, renameat, folder, to, (int from, const char *path, int folder, const char *to), (from, path, folder, to))
BY_PATH(1, link, AT_FDCWD, to, (const char *path, const char *to), (path, to))
BY_PATH(1, linkat, folder, to, (int from, const char *path, int folder, const char *to, int flags), (from, path, folder, to, flags))
BY_PATH(1, symlink, AT_FDCWD, to, (const char *path, const char *to), (path, to))
BY_PATH(1, symlinkat, folder, to, (const char *path, int folder, const char *to), (path, folder, to))
