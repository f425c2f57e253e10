/* SPDX-License-Identifier: MIT
 * out.c - atomic files: written beside, fsynced, renamed.  Whoever dies half-way leaves the old file whole.
 *
 * What is no ordinary file (a pipe, a device) is written in place and never replaced; a link stays a link, the
 * file it points to is replaced. */
#include "base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"

/* The mode a plain open(2) would have given, or that of the file being replaced. */
static void set_mode(int fd, const char *path)
{
    struct stat old;
    if (!stat(path, &old)) {
        fchmod(fd, old.st_mode & 0777);
        return;
    }
    char line[256];
    unsigned mask = 022; /* umask(2) can only be read by changing it, which other threads would see */
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status)) {
        if (!strncmp(line, "Umask:", 6)) mask = (unsigned)strtoul(line + 6, NULL, 8);
    }
    if (status) fclose(status);
    fchmod(fd, 0666 & ~mask & 0777);
}

/* A pipe or device: nothing to keep whole, and nothing that a rename may put a file in the place of.  O_NONBLOCK for its opening
 * alone: who waits for a reader of a pipe waits for ever where nobody comes. */
static mopd_status open_in_place(mo_out *out)
{
    int fd = open(out->path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENXIO)
        return mo_fail(MOPD_E_IO, "%s: cannot write: a pipe that nobody reads, or a socket", out->path);
    out->stream = fd >= 0 && !fcntl(fd, F_SETFL, 0) ? fdopen(fd, "wb") : NULL;
    if (out->stream) return MOPD_OK;
    mopd_status st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    if (fd >= 0) close(fd);
    return st;
}

static mopd_status open_beside(mo_out *out)
{
    mo_buf temp = {0};
    char *target = realpath(out->path, NULL); /* behind links; NULL: there is none yet */
    mopd_status st = mo_buf_addf(&temp, "%s.XXXXXX", target ? target : out->path);
    free(target);
    if (st != MOPD_OK) return st;
    out->temp = mo_buf_take(&temp);
    int fd = mkstemp(out->temp);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        set_mode(fd, out->path);
        out->stream = fdopen(fd, "wb");
        if (out->stream) return MOPD_OK;
    }
    st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    if (fd >= 0)
        close(fd);
    else
        out->temp[0] = 0;
    return st;
}

mopd_status mo_out_open(mo_out *out, const char *path)
{
    *out = (mo_out){0};
    if (!path || !*path) return mo_fail(MOPD_E_ARG, "the path to write to is empty");
    if (mo_file_is_dir(path)) return mo_fail(MOPD_E_IO, "%s: is a directory, cannot write there", path);
    out->path = mo_mem_strdup(path);
    if (!out->path) return MOPD_E_NOMEM;
    struct stat info;
    bool device = !stat(path, &info) && !S_ISREG(info.st_mode);
    mopd_status st = device ? open_in_place(out) : open_beside(out);
    if (st != MOPD_OK) mo_out_drop(out);
    return st;
}

mopd_status mo_out_write(mo_out *out, const void *bytes, size_t n)
{
    if (n && fwrite(bytes, 1, n, out->stream) != n)
        return mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    return MOPD_OK;
}

/* The rename is on disk once its folder is. */
static void sync_folder(const char *path)
{
    char *dir = mo_path_dir(path);
    int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    mo_mem_free(dir);
}

/* The finished file takes its place: the name before the dot and the six letters of mkstemp. */
static mopd_status put_in_place(mo_out *out)
{
    size_t n = strlen(out->temp) - 7;
    char *target = mo_mem_strdup(out->temp);
    if (!target) return MOPD_E_NOMEM;
    target[n] = 0;
    mopd_status st = MOPD_OK;
    if (rename(out->temp, target))
        st = mo_fail_errno(MOPD_E_IO, "%s: cannot put the finished file in place", out->path);
    if (st == MOPD_OK) {
        out->temp[0] = 0;
        sync_folder(target);
    }
    mo_mem_free(target);
    return st;
}

mopd_status mo_out_commit(mo_out *out)
{
    mopd_status st = MOPD_OK;
    if (fflush(out->stream) || (out->temp && fsync(fileno(out->stream))))
        st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    if (fclose(out->stream) && st == MOPD_OK) st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    out->stream = NULL;
    if (st == MOPD_OK && out->temp) st = put_in_place(out);
    mo_out_drop(out);
    return st;
}

void mo_out_drop(mo_out *out)
{
    if (out->stream) fclose(out->stream);
    if (out->temp && *out->temp) unlink(out->temp);
    mo_mem_free(out->temp);
    mo_mem_free(out->path);
    *out = (mo_out){0};
}
