/* SPDX-License-Identifier: MIT
 * out.c - atomic files: written beside, fsynced, renamed.  Whoever dies half-way leaves the old file whole.
 *
 * Character devices and pipes are written in place and never replaced; a link stays a link, the file it points to is
 * replaced.  The folder is opened once, so that the unfinished file, the rename and the fsync are of the same folder
 * whatever happens to its name. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH */
#endif
#include "base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

/* -- what lies at a path ------------------------------------------------------------------------------------- */

typedef enum place { PLACE_NEW, PLACE_FILE, PLACE_DEVICE } place;

static mopd_status tell_place(place *where, mode_t mode, const char *path)
{
    *where = S_ISREG(mode) ? PLACE_FILE : PLACE_DEVICE;
    if (S_ISDIR(mode)) return mo_fail(MOPD_E_IO, "%s: is a directory, cannot write there", path);
    if (S_ISSOCK(mode)) return mo_fail(MOPD_E_IO, "%s: is a socket, cannot write there", path);
    if (S_ISBLK(mode))
        return mo_fail(MOPD_E_IO, "%s: is a block device, what is on it would be destroyed", path);
    return MOPD_OK;
}

static mopd_status find_place(place *where, struct stat *info, const char *path)
{
    if (!path || !*path) return mo_fail(MOPD_E_ARG, "the path to write to is empty");
    if (!stat(path, info)) return tell_place(where, info->st_mode, path);
    if (errno != ENOENT) return mo_fail_errno(MOPD_E_IO, "%s: cannot write", path);
    *where = PLACE_NEW;
    if (lstat(path, info)) return MOPD_OK;
    return mo_fail(
        MOPD_E_IO, "%s: a symbolic link that leads to nothing: remove it, or make what it leads to", path);
}

/* The number of an open file that a path stands for, -1 for any other path. */
static int descriptor_of(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    if (!strcmp(path, "/dev/stdout")) return STDOUT_FILENO;
    if (!strcmp(path, "/dev/stderr")) return STDERR_FILENO;
    for (size_t i = 0; i < 2; i++) {
        const char *number = path + strlen(folders[i]);
        if (strncmp(path, folders[i], strlen(folders[i])) != 0) continue;
        const size_t digits = strspn(number, "0123456789");
        if (digits && digits < 5 && !number[digits]) return (int)strtol(number, NULL, 10);
    }
    return -1;
}

/* -- in place ------------------------------------------------------------------------------------------------ */

/* Nothing to keep whole, and nothing that a rename may put a file in the place of.  O_NONBLOCK for its opening
 * alone: who waits for a reader of a pipe waits for ever where nobody comes. */
static int open_device(const char *path)
{
    struct stat info;
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 ||
        (!fstat(fd, &info) && (S_ISCHR(info.st_mode) || S_ISFIFO(info.st_mode)) && !fcntl(fd, F_SETFL, 0)))
        return fd;
    close(fd);
    errno = EBUSY; /* it was a device a moment ago */
    return -1;
}

static mopd_status open_in_place(mo_out *out, int of)
{
    const int fd = of >= 0 ? fcntl(of, F_DUPFD_CLOEXEC, 0) : open_device(out->path);
    if (fd < 0 && errno == ENXIO)
        return mo_fail(MOPD_E_IO, "%s: cannot write: a pipe that nobody reads", out->path);
    out->stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (out->stream) return MOPD_OK;
    mopd_status st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    if (fd >= 0) close(fd);
    return st;
}

/* -- beside -------------------------------------------------------------------------------------------------- */

/* One that may be written and not read serves too, but cannot be synced. */
static int open_folder(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 && errno == EACCES ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : fd;
}

/* Folder and name of the target, which is behind links where there is one. */
static mopd_status find_target(mo_out *out)
{
    char real[PATH_MAX];
    const char *target = out->replaces ? realpath(out->path, real) : out->path;
    if (!target) return mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    const char *slash = strrchr(target, '/');
    char *dir = mo_path_dir(target);
    out->name = mo_mem_strdup(slash ? slash + 1 : target);
    mopd_status st = dir && out->name ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK && (out->folder = open_folder(dir)) < 0)
        st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    mo_mem_free(dir);
    return st;
}

/* What replaces a file is nobody else's to read until it has that file's mode. */
static mopd_status open_beside(mo_out *out)
{
    mopd_status st = find_target(out);
    if (st != MOPD_OK) return st;
    const int fd = mo_out_temp_open(out->folder, out->temp, out->replaces ? 0600 : 0666);
    if (fd < 0) {
        out->temp[0] = 0;
        return mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    }
    out->stream = fdopen(fd, "wb");
    if (out->stream) return MOPD_OK;
    st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    close(fd);
    return st;
}

mopd_status mo_out_open(mo_out *out, const char *path)
{
    *out = (mo_out){.folder = -1};
    struct stat info;
    place where = PLACE_DEVICE;
    const int of = path ? descriptor_of(path) : -1;
    mopd_status st = of >= 0 ? MOPD_OK : find_place(&where, &info, path);
    if (st != MOPD_OK) return st;
    out->path = mo_mem_strdup(path);
    if (!out->path) return MOPD_E_NOMEM;
    out->replaces = where == PLACE_FILE;
    if (out->replaces) {
        out->mode = info.st_mode & 0777;
        out->owner = info.st_uid;
        out->group = info.st_gid;
    }
    st = where == PLACE_DEVICE ? open_in_place(out, of) : open_beside(out);
    if (st != MOPD_OK) mo_out_drop(out);
    return st;
}

mopd_status mo_out_check(const char *path)
{
    struct stat info;
    place where;
    if (path && descriptor_of(path) >= 0) return MOPD_OK;
    mopd_status st = find_place(&where, &info, path);
    if (st != MOPD_OK || where == PLACE_DEVICE) return st;
    mo_out out = {.folder = -1, .replaces = where == PLACE_FILE, .path = mo_mem_strdup(path)};
    st = out.path ? find_target(&out) : MOPD_E_NOMEM;
    if (st == MOPD_OK && faccessat(out.folder, ".", W_OK | X_OK, AT_EACCESS))
        st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", path);
    mo_out_drop(&out);
    return st;
}

mopd_status mo_out_write(mo_out *out, const void *bytes, size_t n)
{
    if (n && fwrite(bytes, 1, n, out->stream) != n)
        return mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    return MOPD_OK;
}

/* Mode, owner and group of the file that is replaced.  Where its group cannot be kept, the new group may do what all
 * others may and no more. */
static void keep_rights(const mo_out *out, int fd)
{
    struct stat info;
    mode_t mode = out->mode;
    if (fstat(fd, &info)) return;
    if (info.st_uid == out->owner && info.st_gid == out->group) {
        fchmod(fd, mode);
        return;
    }
    if (fchown(fd, out->owner, out->group) && fchown(fd, (uid_t)-1, out->group))
        mode = (mode & ~(mode_t)070) | (mode & 7) << 3;
    fchmod(fd, mode);
}

/* All is on the disk before the file takes its place, and the rename is once the folder is.  What cannot be synced
 * (some folders of other systems) is not. */
static mopd_status put_in_place(mo_out *out)
{
    const int fd = fileno(out->stream);
    if (out->replaces) keep_rights(out, fd);
    if (fsync(fd) && errno != EINVAL && errno != ENOSYS)
        return mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    if (renameat(out->folder, out->temp, out->folder, out->name))
        return mo_fail_errno(MOPD_E_IO, "%s: cannot put the finished file in place", out->path);
    out->temp[0] = 0;
    if (fsync(out->folder) && errno == EIO)
        return mo_fail_errno(MOPD_E_IO, "%s: its folder cannot be synced", out->path);
    return MOPD_OK;
}

mopd_status mo_out_commit(mo_out *out)
{
    mopd_status st = MOPD_OK;
    if (fflush(out->stream)) st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    if (st == MOPD_OK && *out->temp)
        st = put_in_place(out); /* still open, so that it is locked until it is whole */
    FILE *stream = out->stream;
    out->stream = NULL;
    if (fclose(stream) && st == MOPD_OK) st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    mo_out_drop(out);
    return st;
}

void mo_out_drop(mo_out *out)
{
    if (*out->temp) unlinkat(out->folder, out->temp, 0);
    if (out->stream) fclose(out->stream);
    if (out->folder >= 0) close(out->folder);
    mo_mem_free(out->name);
    mo_mem_free(out->path);
    *out = (mo_out){.folder = -1};
}

mopd_status mo_out_save(const char *path, const void *bytes, size_t n)
{
    mo_out out;
    mopd_status st = mo_out_open(&out, path);
    if (st != MOPD_OK) return st;
    st = mo_out_write(&out, bytes, n);
    if (st == MOPD_OK) return mo_out_commit(&out);
    mo_out_drop(&out);
    return st;
}
