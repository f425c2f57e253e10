/* SPDX-License-Identifier: MIT
 * out.c - atomic files: written beside, fsynced, renamed.  Whoever dies half-way leaves the old file whole. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

mopd_status mo_out_open(mo_out *out, const char *path)
{
    *out = (mo_out){0};
    if (!path || !*path) return mo_fail(MOPD_E_ARG, "the path to write to is empty");
    if (mo_file_is_dir(path)) return mo_fail(MOPD_E_IO, "%s: is a directory, cannot write there", path);
    mo_buf temp = {0};
    mopd_status st = mo_buf_addf(&temp, "%s.XXXXXX", path);
    if (st != MOPD_OK) return st;
    out->temp = mo_buf_take(&temp);
    out->path = mo_strdup(path);
    int fd = out->path ? mkstemp(out->temp) : -1;
    if (!out->path) st = MOPD_E_NOMEM;
    else if (fd < 0) st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", path);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        set_mode(fd, path);
        out->stream = fdopen(fd, "wb");
        if (out->stream) return MOPD_OK;
        st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", path);
        close(fd);
        unlink(out->temp);
    }
    mo_out_drop(out);
    return st;
}

mopd_status mo_out_write(mo_out *out, const void *bytes, size_t n)
{
    if (n && fwrite(bytes, 1, n, out->stream) != n) return mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
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
    mo_free(dir);
}

mopd_status mo_out_commit(mo_out *out)
{
    mopd_status st = MOPD_OK;
    if (fflush(out->stream) || fsync(fileno(out->stream)))
        st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    if (fclose(out->stream) && st == MOPD_OK) st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    out->stream = NULL;
    if (st == MOPD_OK && rename(out->temp, out->path))
        st = mo_fail_errno(MOPD_E_IO, "%s: cannot put the finished file in place", out->path);
    if (st == MOPD_OK) {
        out->temp[0] = 0;
        sync_folder(out->path);
    }
    mo_out_drop(out);
    return st;
}

void mo_out_drop(mo_out *out)
{
    if (out->stream) fclose(out->stream);
    if (out->temp && *out->temp) unlink(out->temp);
    mo_free(out->temp);
    mo_free(out->path);
    *out = (mo_out){0};
}
