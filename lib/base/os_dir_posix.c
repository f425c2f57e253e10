/* SPDX-License-Identifier: MIT
 * os_dir_posix.c - folders by POSIX: an open one is a descriptor, and all in it is done from there. */
#define _GNU_SOURCE /* O_PATH */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_stat.h"

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif
#ifdef __ANDROID__ /* whose C library takes no such flag; a program has one user there */
#define AS_EFFECTIVE 0
#else
#define AS_EFFECTIVE AT_EACCESS
#endif

/* One that may be written and not read serves too, but cannot be synced. */
mo_os_dir mo_os_dir_open(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 && errno == EACCES ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : fd;
}

void mo_os_dir_close(mo_os_dir dir)
{
    close((int)dir);
}

bool mo_os_dir_writable(mo_os_dir dir)
{
    return !faccessat((int)dir, ".", W_OK | X_OK, AS_EFFECTIVE);
}

bool mo_os_dir_sync(mo_os_dir dir)
{
    return !fsync((int)dir);
}

int mo_os_dir_create(mo_os_dir dir, const char *name, uint32_t mode)
{
    return openat((int)dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
}

/* Also one that may be read or written only: either is enough to lock it. */
int mo_os_dir_open_left(mo_os_dir dir, const char *name)
{
    const int flags = O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
    const int fd = openat((int)dir, name, O_WRONLY | flags);
    return fd < 0 && errno == EACCES ? openat((int)dir, name, O_RDONLY | flags) : fd;
}

bool mo_os_dir_info(mo_os_dir dir, mo_os_info *info, const char *name)
{
    struct stat s;
    return mo_os_stat_tell(info, &s, fstatat((int)dir, name, &s, AT_SYMLINK_NOFOLLOW));
}

bool mo_os_dir_remove(mo_os_dir dir, const char *name)
{
    return !unlinkat((int)dir, name, 0);
}

bool mo_os_dir_replace(mo_os_dir dir, const char *from, const char *to)
{
    return !renameat((int)dir, from, (int)dir, to);
}

/* -- names --------------------------------------------------------------------------------------------------- */

mo_os_names *mo_os_names_open(const char *path)
{
    return (mo_os_names *)opendir(path);
}

mo_os_names *mo_os_names_open_dir(mo_os_dir dir)
{
    const int fd = openat((int)dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !names) close(fd);
    return (mo_os_names *)names;
}

const char *mo_os_names_next(mo_os_names *names)
{
    const struct dirent *e;
    do {
        errno = 0;
        e = readdir((DIR *)names);
    } while (e && (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")));
    return e ? e->d_name : NULL;
}

void mo_os_names_close(mo_os_names *names)
{
    closedir((DIR *)names);
}
