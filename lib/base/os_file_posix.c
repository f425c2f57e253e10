/* SPDX-License-Identifier: MIT
 * os_file_posix.c - files by POSIX: what lies at a path, open, read, write, lock. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_stat.h"

#ifdef __APPLE__
#define WRITTEN st_mtimespec
#define CHANGED st_ctimespec
#else
#define WRITTEN st_mtim
#define CHANGED st_ctim
#endif

/* -- what lies at a path ------------------------------------------------------------------------------------- */

static mo_os_kind kind_of(mode_t mode)
{
    return S_ISREG(mode)    ? MO_OS_REGULAR
           : S_ISDIR(mode)  ? MO_OS_DIR
           : S_ISFIFO(mode) ? MO_OS_PIPE
           : S_ISSOCK(mode) ? MO_OS_SOCKET
           : S_ISBLK(mode)  ? MO_OS_BLOCKS
           : S_ISLNK(mode)  ? MO_OS_LINK
                            : MO_OS_CHARS;
}

bool mo_os_stat_tell(mo_os_info *info, const struct stat *s, int failed)
{
    if (failed) return false;
    *info = (mo_os_info){.kind = kind_of(s->st_mode),
        .size = s->st_size > 0 ? (uint64_t)s->st_size : 0,
        .device = (uint64_t)s->st_dev,
        .number = (uint64_t)s->st_ino,
        .n_links = (uint64_t)s->st_nlink,
        .written = {s->WRITTEN.tv_sec, s->WRITTEN.tv_nsec},
        .changed = {s->CHANGED.tv_sec, s->CHANGED.tv_nsec},
        .mode = s->st_mode & 0777,
        .owner = s->st_uid,
        .group = s->st_gid};
    return true;
}

bool mo_os_info_path(mo_os_info *info, const char *path)
{
    struct stat s;
    return mo_os_stat_tell(info, &s, stat(path, &s));
}

bool mo_os_info_link(mo_os_info *info, const char *path)
{
    struct stat s;
    return mo_os_stat_tell(info, &s, lstat(path, &s));
}

bool mo_os_info_file(mo_os_info *info, int file)
{
    struct stat s;
    return mo_os_stat_tell(info, &s, fstat(file, &s));
}

bool mo_os_info_is_own(const mo_os_info *info)
{
    return info->owner == geteuid();
}

bool mo_os_real(char out[MO_OS_PATH], const char *path)
{
    _Static_assert(PATH_MAX <= MO_OS_PATH, "realpath writes so much");
    return realpath(path, out) != NULL;
}

const char *mo_os_unfit(const char *path)
{
    (void)path;
    return NULL;
}

/* -- files --------------------------------------------------------------------------------------------------- */

/* O_NONBLOCK: a pipe that nobody writes to opens at once.  A regular file knows no waiting. */
int mo_os_open(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* O_NONBLOCK for the opening alone: who waits for a reader of a pipe waits for ever where nobody comes. */
int mo_os_open_device(const char *path)
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

int mo_os_open_growing(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
}

int mo_os_twin(int file)
{
    return fcntl(file, F_DUPFD_CLOEXEC, 0);
}

void mo_os_close(int file)
{
    close(file);
}

int64_t mo_os_read(int file, void *out, size_t n)
{
    ssize_t got;
    do {
        got = read(file, out, n);
    } while (got < 0 && errno == EINTR);
    return got;
}

bool mo_os_write(int file, const void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        const ssize_t more = write(file, (const char *)bytes + done, n - done);
        if (more < 0 && errno != EINTR) return false;
        if (more > 0) done += (size_t)more;
    }
    return true;
}

bool mo_os_cut(int file, uint64_t size)
{
    return !ftruncate(file, (off_t)size) && lseek(file, (off_t)size, SEEK_SET) >= 0;
}

/* Apple's fsync leaves the bytes to the drive, which may keep them to itself; where a file system cannot ask the drive, fsync has to do. */
bool mo_os_sync(int file)
{
#ifdef F_FULLFSYNC
    if (!fcntl(file, F_FULLFSYNC)) return true;
#endif
    return !fsync(file);
}

bool mo_os_remove(const char *path)
{
    return !unlink(path);
}

mo_os_lock mo_os_hold(int file)
{
    if (!flock(file, LOCK_EX | LOCK_NB)) return MO_OS_HELD;
    return errno == EWOULDBLOCK ? MO_OS_TAKEN : MO_OS_NO_LOCKS;
}

FILE *mo_os_stream(int file)
{
    return fdopen(file, "wb");
}

int mo_os_stream_file(FILE *stream)
{
    return fileno(stream);
}

void mo_os_keep_rights(int file, const mo_os_info *of)
{
    struct stat info;
    mode_t mode = (mode_t)of->mode; /* no more than 0777 */
    if (fstat(file, &info)) return;
    if (info.st_uid == of->owner && info.st_gid == of->group) {
        fchmod(file, mode);
        return;
    }
    if (fchown(file, of->owner, of->group) && fchown(file, (uid_t)-1, of->group))
        mode = (mode_t)((mode & 0707u) | (mode & 7u) << 3);
    fchmod(file, mode);
}
