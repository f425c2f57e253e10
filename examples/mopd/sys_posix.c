/* SPDX-License-Identifier: MIT
 * sys_posix.c - what the command asks of a system like POSIX. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* -- the process ---------------------------------------------------------------------------------------------- */

void sys_arguments(int *argc, char ***argv)
{
    (void)argc, (void)argv;
}

static void (*call_interrupted)(void);

static void on_signal(int number)
{
    (void)number;
    call_interrupted();
}

void sys_prepare(void (*interrupted)(void))
{
    /* A write that waits for a slow reader goes on: what was reached is written whole. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    call_interrupted = interrupted;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe becomes a write error that names itself */
    signal(SIGXFSZ, SIG_IGN); /* and so does a file that may not grow */
}

const char *sys_error_text(int code)
{
    return strerror(code);
}

void sys_end(int status)
{
    _exit(status);
}

bool sys_is_shown(int number)
{
    return isatty(number);
}

double sys_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double sys_peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0;
}

/* -- files ---------------------------------------------------------------------------------------------------- */

static sys_kind kind_of(const struct stat *info, int failed)
{
    if (failed) return SYS_NOTHING;
    if (S_ISREG(info->st_mode)) return SYS_FILE;
    if (S_ISDIR(info->st_mode)) return SYS_FOLDER;
    return S_ISFIFO(info->st_mode) ? SYS_PIPE : SYS_DEVICE;
}

sys_kind sys_kind_of(const char *path)
{
    struct stat info;
    return kind_of(&info, stat(path, &info));
}

bool sys_same(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int sys_open(const char *path, sys_kind *kind)
{
    struct stat info;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *kind = file < 0 ? SYS_NOTHING : kind_of(&info, fstat(file, &info));
    return file;
}

void sys_close(int file)
{
    close(file);
}

ptrdiff_t sys_read(int file, void *out, size_t n)
{
    struct pollfd source = {.fd = file, .events = POLLIN};
    ptrdiff_t got;
    do {
        poll(&source, 1, -1); /* ended by a signal, where a read may be begun anew */
        got = read(file, out, n);
    } while (got < 0 && errno == EINTR);
    return got;
}

void sys_remove(const char *path)
{
    unlink(path);
}

char *sys_real(const char *path)
{
    return realpath(path, NULL);
}

void sys_slashes(char *path)
{
    (void)path;
}

/* The shell has done it. */
size_t sys_each_match(const char *pattern, void (*fn)(void *context, const char *path), void *context)
{
    (void)pattern, (void)fn, (void)context;
    return 0;
}

char *sys_printed(void (*body)(FILE *f, const void *context), const void *context, size_t *n)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, n);
    if (!f) return NULL;
    body(f, context);
    const bool good = !ferror(f);
    if (!fclose(f) && good) return text;
    free(text);
    return NULL;
}
