/* SPDX-License-Identifier: MIT
 * file.c - regular files opened and read whole. */
#include "base/file.h"

#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/os.h"
#include "base/stop.h"
#include "base/wide.h"

#define PIECE ((size_t)1 << 22) /* that is read at a time */

static mopd_status check_kind(mo_os_kind kind, const char *path)
{
    if (kind == MO_OS_REGULAR) return MOPD_OK;
    return mo_fail(MOPD_E_IO, "%s: is %s, a regular file is needed", path,
        kind == MO_OS_DIR      ? "a directory"
        : kind == MO_OS_PIPE   ? "a pipe"
        : kind == MO_OS_SOCKET ? "a socket"
                               : "a device");
}

/* The system's reason; of a socket, and of a device that is not there, it would be one that says nothing. */
static mopd_status fail_open(const char *path)
{
    const int reason = errno;
    if (!*path) return mo_fail(MOPD_E_IO, "the path of the file to read is empty");
    mo_os_info info;
    mopd_status st = reason == ENXIO && mo_os_info_path(&info, path) ? check_kind(info.kind, path) : MOPD_OK;
    if (st != MOPD_OK) return st;
    errno = reason;
    return mo_fail_errno(MOPD_E_IO, "%s: cannot open", path);
}

mopd_status mo_file_open(int *fd, uint64_t *size, const char *path)
{
    mopd_status st = mo_stop_check(MO_STOP_STEP);
    if (st != MOPD_OK) return st;
    *fd = mo_os_open(path);
    if (*fd < 0) return fail_open(path);
    mo_os_info info;
    if (!mo_os_info_file(&info, *fd))
        st = mo_fail_errno(MOPD_E_IO, "%s: cannot stat", path);
    else if ((st = check_kind(info.kind, path)) == MOPD_OK)
        *size = info.size;
    if (st != MOPD_OK) mo_os_close(*fd);
    return st;
}

mopd_status mo_file_size(size_t *out, uint64_t size, size_t most, const char *path)
{
    *out = (size_t)mo_wide_min(size, most);
    if (size <= most) return MOPD_OK;
    return mo_fail(MOPD_E_NOMEM,
        "%s: its %" PRIu64 " bytes are more than this %zu-bit process can hold at once", path, size,
        8 * sizeof most);
}

mopd_status mo_file_read_bytes(int fd, void *out, size_t n, size_t *got, const char *path)
{
    mopd_status st = MOPD_OK;
    *got = 0;
    while (*got < n && st == MOPD_OK) {
        const int64_t r = mo_os_read(fd, (char *)out + *got, mo_min(n - *got, PIECE));
        if (r < 0) return mo_fail_errno(MOPD_E_IO, "%s: cannot read at byte %zu", path, *got);
        if (r == 0) break;
        *got += (size_t)r;
        st = mo_stop_check((size_t)r);
    }
    return st;
}

/* `step` more bytes behind those in buf, fewer only at the end of the file. */
static mopd_status read_more(int fd, mo_buf *buf, size_t step, size_t *got, const char *path)
{
    char *room = mo_buf_room(buf, step);
    mopd_status st = room ? mo_file_read_bytes(fd, room, step, got, path) : MOPD_E_NOMEM;
    if (st != MOPD_OK) return st;
    buf->size += *got;
    buf->data[buf->size] = 0;
    return MOPD_OK;
}

/* Once for ordinary files; on for those of /proc, whose size reads as 0. */
static mopd_status read_rest(int fd, mo_buf *buf, uint64_t size, size_t limit, const char *path)
{
    size_t step = size < buf->size ? 1 : (size_t)(mo_wide_min(size, limit) - buf->size) + 1, got;
    do {
        if (buf->size > limit || size > limit)
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: larger than %zu bytes", path, limit);
        mopd_status st = read_more(fd, buf, step, &got, path);
        if (st != MOPD_OK) return st;
        step = 65536;
    } while (got > 0);
    return MOPD_OK;
}

mopd_status mo_file_read_looking(mo_buf *buf, const char *path, size_t limit, mo_file_look *look)
{
    int fd;
    uint64_t size = 0;
    size_t got = 0;
    mopd_status st = mo_file_open(&fd, &size, path);
    if (st != MOPD_OK) return st;
    buf->size = 0;
    if (look && (st = read_more(fd, buf, MO_FILE_HEAD, &got, path)) == MOPD_OK &&
        (st = look(buf->data, buf->size)) != MOPD_OK)
        st = mo_fail_at(st, "%s", path);
    if (st == MOPD_OK) st = read_rest(fd, buf, size, limit, path);
    mo_os_close(fd);
    if (st != MOPD_OK) mo_buf_free(buf);
    return st;
}

mopd_status mo_file_read(mo_buf *buf, const char *path, size_t limit)
{
    return mo_file_read_looking(buf, path, limit, NULL);
}

mopd_status mo_file_look_at(mo_file_kind *kind, const char *path)
{
    mo_os_info info;
    const bool there = mo_os_info_path(&info, path);
    *kind = !there ? MO_FILE_NONE : info.kind == MO_OS_DIR ? MO_FILE_DIR : MO_FILE_OTHER;
    if (there || errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return MOPD_OK;
    return mo_fail_errno(MOPD_E_IO, "%s: cannot be looked at", path);
}

bool mo_file_exists(const char *path)
{
    mo_os_info info;
    return mo_os_info_path(&info, path);
}

bool mo_file_is_dir(const char *path)
{
    mo_os_info info;
    return mo_os_info_path(&info, path) && info.kind == MO_OS_DIR;
}
