/* SPDX-License-Identifier: MIT
 * out.c - atomic files: written beside, fsynced, renamed.  Whoever dies half-way leaves the old file whole.
 *
 * Character devices and pipes are written in place and never replaced; a link stays a link, the file it points to is
 * replaced.  The folder is opened once, so that the unfinished file, the rename and the fsync are of the same folder
 * whatever happens to its name. */
#include "base/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

/* -- what lies at a path ------------------------------------------------------------------------------------- */

typedef enum place { PLACE_NEW, PLACE_FILE, PLACE_DEVICE } place;

static mopd_status tell_place(place *where, mo_os_kind kind, const char *path)
{
    *where = kind == MO_OS_REGULAR ? PLACE_FILE : PLACE_DEVICE;
    if (kind == MO_OS_DIR) return mo_fail(MOPD_E_IO, "%s: is a directory, cannot write there", path);
    if (kind == MO_OS_SOCKET) return mo_fail(MOPD_E_IO, "%s: is a socket, cannot write there", path);
    if (kind == MO_OS_BLOCKS)
        return mo_fail(MOPD_E_IO, "%s: is a block device, what is on it would be destroyed", path);
    return MOPD_OK;
}

mopd_status mo_out_check_name(const char *path)
{
    const char *unfit = mo_os_unfit(path);
    return unfit ? mo_fail(MOPD_E_IO, "%s: cannot write: %s", path, unfit) : MOPD_OK;
}

static mopd_status find_place(place *where, mo_os_info *info, const char *path)
{
    if (!path || !*path) return mo_fail(MOPD_E_ARG, "the path to write to is empty");
    mopd_status st = mo_out_check_name(path);
    if (st != MOPD_OK) return st;
    if (mo_os_info_path(info, path)) return tell_place(where, info->kind, path);
    if (errno != ENOENT) return mo_fail_errno(MOPD_E_IO, "%s: cannot write", path);
    *where = PLACE_NEW;
    if (!mo_os_info_link(info, path)) return MOPD_OK;
    return mo_fail(
        MOPD_E_IO, "%s: a symbolic link that leads to nothing: remove it, or make what it leads to", path);
}

/* The number of an open file that a path stands for, -1 for any other path. */
static int descriptor_of(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    if (!strcmp(path, "/dev/stdout")) return 1;
    if (!strcmp(path, "/dev/stderr")) return 2;
    for (size_t i = 0; i < 2; i++) {
        const char *number = path + strlen(folders[i]);
        if (strncmp(path, folders[i], strlen(folders[i])) != 0) continue;
        const size_t digits = strspn(number, "0123456789");
        if (digits && digits < 5 && !number[digits]) return (int)strtol(number, NULL, 10);
    }
    return -1;
}

/* -- in place ------------------------------------------------------------------------------------------------ */

/* Nothing to keep whole, and nothing that a rename may put a file in the place of. */
static mopd_status open_in_place(mo_out *out, int of)
{
    const int fd = of >= 0 ? mo_os_twin(of) : mo_os_open_device(out->path);
    if (fd < 0 && errno == ENXIO)
        return mo_fail(MOPD_E_IO, "%s: cannot write: a pipe that nobody reads", out->path);
    out->stream = fd >= 0 ? mo_os_stream(fd) : NULL;
    if (out->stream) return MOPD_OK;
    mopd_status st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    if (fd >= 0) mo_os_close(fd);
    return st;
}

/* -- beside -------------------------------------------------------------------------------------------------- */

/* Folder and name of the target, which is behind links where there is one. */
static mopd_status find_target(mo_out *out)
{
    char real[MO_OS_PATH];
    const char *target = out->replaces ? real : out->path;
    if (out->replaces && !mo_os_real(real, out->path))
        return mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    char *dir = mo_path_dir(target);
    out->name = mo_mem_strdup(mo_path_name(target));
    mopd_status st = dir && out->name ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK && (out->folder = mo_os_dir_open(dir)) == MO_OS_NO_DIR)
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
    out->stream = mo_os_stream(fd);
    if (out->stream) return MOPD_OK;
    st = mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    mo_os_close(fd);
    return st;
}

mopd_status mo_out_open(mo_out *out, const char *path)
{
    *out = (mo_out){.folder = MO_OS_NO_DIR};
    mo_os_info info;
    place where = PLACE_DEVICE;
    const int of = path ? descriptor_of(path) : -1;
    mopd_status st = of >= 0 ? MOPD_OK : find_place(&where, &info, path);
    if (st != MOPD_OK) return st;
    out->path = mo_mem_strdup(path);
    if (!out->path) return MOPD_E_NOMEM;
    out->replaces = where == PLACE_FILE;
    if (out->replaces) out->was = info;
    st = where == PLACE_DEVICE ? open_in_place(out, of) : open_beside(out);
    if (st != MOPD_OK) mo_out_drop(out);
    return st;
}

mopd_status mo_out_check(const char *path)
{
    mo_os_info info;
    place where;
    if (path && descriptor_of(path) >= 0) return MOPD_OK;
    mopd_status st = find_place(&where, &info, path);
    if (st != MOPD_OK || where == PLACE_DEVICE) return st;
    mo_out out = {.folder = MO_OS_NO_DIR, .replaces = where == PLACE_FILE, .path = mo_mem_strdup(path)};
    st = out.path ? find_target(&out) : MOPD_E_NOMEM;
    if (st == MOPD_OK && !mo_os_dir_writable(out.folder))
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

/* All is on the disk before the file takes its place, and the rename is once the folder is.  What cannot be synced
 * (some folders of other systems) is not. */
static mopd_status put_in_place(mo_out *out)
{
    const int fd = mo_os_stream_file(out->stream);
    if (out->replaces) mo_os_keep_rights(fd, &out->was);
    if (!mo_os_sync(fd) && errno != EINVAL && errno != ENOSYS)
        return mo_fail_errno(MOPD_E_IO, "%s: cannot write", out->path);
    if (!mo_os_dir_replace(out->folder, out->temp, out->name))
        return mo_fail_errno(MOPD_E_IO, "%s: cannot put the finished file in place", out->path);
    out->temp[0] = 0;
    if (!mo_os_dir_sync(out->folder) && errno == EIO)
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
    if (*out->temp) mo_os_dir_remove(out->folder, out->temp);
    if (out->stream) fclose(out->stream);
    if (out->folder != MO_OS_NO_DIR) mo_os_dir_close(out->folder);
    mo_mem_free(out->name);
    mo_mem_free(out->path);
    *out = (mo_out){.folder = MO_OS_NO_DIR};
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
