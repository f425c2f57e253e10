/* SPDX-License-Identifier: MIT
 * kill_at.c - loaded before a program: kills it where it is about to do the MOPD_KILL_AT-th thing to a file that it writes
 * (make, lock, write, flush, change the mode of, sync, rename), however fast the machine is; or sends it MOPD_SIGNAL where it
 * is about to open a file for reading whose path ends with MOPD_SIGNAL_AT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#pragma GCC visibility push(default)

static long counted, synced;

static void count(void)
{
    const char *at = getenv("MOPD_KILL_AT");
    if (at && ++counted == atol(at)) kill(getpid(), SIGKILL);
}

static void signal_at(const char *path)
{
    const char *end = getenv("MOPD_SIGNAL_AT"), *number = getenv("MOPD_SIGNAL");
    const size_t n = strlen(path), n_end = end ? strlen(end) : 0;
    if (end && number && n >= n_end && !strcmp(path + n - n_end, end)) kill(getpid(), atoi(number));
}

/* How many there were, and how many of them were syncs, for who wants to choose among them. */
__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("MOPD_KILL_COUNT");
    FILE *f = path ? fopen(path, "w") : NULL;
    if (!f) return;
    fprintf(f, "%ld %ld", counted, synced);
    fclose(f);
}

/* The function of this name that the program would have called. */
static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(99);
    return found;
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = flags & O_CREAT ? (mode_t)va_arg(args, int) : 0;
    va_end(args);
    if (flags & O_EXCL) count();
    return ((int (*)(int, const char *, int, ...))next("openat"))(folder, path, flags, mode);
}

static int open_as(const char *name, const char *path, int flags, va_list args)
{
    const mode_t mode = flags & O_CREAT ? (mode_t)va_arg(args, int) : 0;
    signal_at(path);
    return ((int (*)(const char *, int, ...))next(name))(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const int fd = open_as("open", path, flags, args);
    va_end(args);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const int fd = open_as("open64", path, flags, args);
    va_end(args);
    return fd;
}

int flock(int fd, int operation)
{
    count();
    return ((int (*)(int, int))next("flock"))(fd, operation);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    if (fd > STDERR_FILENO) count();
    return ((ssize_t(*)(int, const void *, size_t))next("write"))(fd, bytes, n);
}

size_t fwrite(const void *bytes, size_t size, size_t n, FILE *stream)
{
    if (fileno(stream) > STDERR_FILENO) count();
    return ((size_t(*)(const void *, size_t, size_t, FILE *))next("fwrite"))(bytes, size, n, stream);
}

int fflush(FILE *stream)
{
    if (stream && fileno(stream) > STDERR_FILENO) count();
    return ((int (*)(FILE *))next("fflush"))(stream);
}

int fchmod(int fd, mode_t mode)
{
    count();
    return ((int (*)(int, mode_t))next("fchmod"))(fd, mode);
}

int fsync(int fd)
{
    count();
    synced++;
    return ((int (*)(int))next("fsync"))(fd);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    count();
    return ((int (*)(int, const char *, int, const char *))next("renameat"))(
        from_folder, from, to_folder, to);
}
