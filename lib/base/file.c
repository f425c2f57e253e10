/* SPDX-License-Identifier: MIT
 * file.c - the system's files: mapping, whole reads, atomic writes, paths and folders. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens a regular file for reading and tells its size. */
static mopd_status open_file(int *fd, size_t *size, const char *path)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return mo_fail_errno(MOPD_E_IO, "%s: cannot open", path);
    struct stat info;
    mopd_status st = MOPD_OK;
    if (fstat(*fd, &info)) st = mo_fail_errno(MOPD_E_IO, "%s: cannot stat", path);
    else if (S_ISDIR(info.st_mode)) st = mo_fail(MOPD_E_IO, "%s: is a directory, a file is needed", path);
    else *size = info.st_size > 0 ? (size_t)info.st_size : 0;
    if (st != MOPD_OK) close(*fd);
    return st;
}

static mopd_status read_bytes(int fd, void *out, size_t n, size_t *got, const char *path)
{
    *got = 0;
    while (*got < n) {
        ssize_t r = read(fd, (char *)out + *got, n - *got);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return mo_fail_errno(MOPD_E_IO, "%s: cannot read at byte %zu", path, *got);
        if (r == 0) break;
        *got += (size_t)r;
    }
    return MOPD_OK;
}

static mopd_status read_block(mo_map *map, int fd, const char *path)
{
    unsigned char *block = mo_alloc(map->size, 1);
    if (!block) return MOPD_E_NOMEM;
    size_t got;
    mopd_status st = read_bytes(fd, block, map->size, &got, path);
    if (st == MOPD_OK && got != map->size)
        st = mo_fail(MOPD_E_IO, "%s: ended at byte %zu of %zu while being read", path, got, map->size);
    if (st != MOPD_OK) {
        mo_free(block);
        return st;
    }
    map->data = block;
    return MOPD_OK;
}

mopd_status mo_map_open(mo_map *map, const char *path, bool read)
{
    *map = (mo_map){0};
    int fd;
    mopd_status st = open_file(&fd, &map->size, path);
    if (st != MOPD_OK) return st;
    if (read || map->size == 0) {
        st = read_block(map, fd, path);
    } else {
        void *p = mmap(NULL, map->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) st = mo_fail_errno(MOPD_E_IO, "%s: cannot map %zu bytes", path, map->size);
        else map->data = p, map->mapped = true;
    }
    close(fd);
    if (st != MOPD_OK) *map = (mo_map){0};
    return st;
}

void mo_map_close(mo_map *map)
{
    if (map->mapped) munmap((void *)(uintptr_t)map->data, map->size);
    else mo_free((void *)(uintptr_t)map->data);
    *map = (mo_map){0};
}

void mo_map_release(const mo_map *map, const void *start, size_t n_bytes)
{
    if (!map->mapped) return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)start + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)start + n_bytes) / page * page;
    if (to > from) madvise((void *)from, to - from, MADV_DONTNEED);
}

mopd_status mo_file_read(mo_buf *buf, const char *path, size_t limit)
{
    int fd;
    size_t size = 0;
    mopd_status st = open_file(&fd, &size, path);
    if (st != MOPD_OK) return st;
    buf->size = 0;
    size_t step = size + 1, got = 0;
    do { /* once for ordinary files; on for pipes, whose size reads as 0 */
        if (buf->size > limit || size > limit) {
            st = mo_fail(MOPD_E_UNSUPPORTED, "%s: larger than %zu bytes", path, limit);
            break;
        }
        char *room = mo_buf_room(buf, step);
        st = room ? read_bytes(fd, room, step, &got, path) : MOPD_E_NOMEM;
        if (st != MOPD_OK) break;
        buf->size += got;
        buf->data[buf->size] = 0;
        step = 65536;
    } while (got > 0);
    close(fd);
    if (st != MOPD_OK) mo_buf_free(buf);
    return st;
}

bool mo_file_exists(const char *path)
{
    struct stat info;
    return !stat(path, &info);
}

bool mo_file_is_dir(const char *path)
{
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

char *mo_path_join(const char *dir, const char *name)
{
    if (!*dir || *name == '/') return mo_strdup(name);
    size_t n = strlen(dir);
    mo_buf buf = {0};
    mopd_status st = mo_buf_addf(&buf, dir[n - 1] == '/' ? "%s%s" : "%s/%s", dir, name);
    if (st != MOPD_OK) mo_buf_free(&buf);
    return mo_buf_take(&buf);
}

char *mo_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return mo_strdup(".");
    return slash == path ? mo_strdup("/") : mo_strndup(path, (size_t)(slash - path));
}

mopd_status mo_names_add(mo_names *names, const char *name, size_t n_bytes)
{
    if ((names->n & (names->n - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
        char **more = mo_realloc(names->name, names->n ? names->n * 2 : 1, sizeof *more);
        if (!more) return MOPD_E_NOMEM;
        names->name = more;
    }
    char *copy = mo_strndup(name, n_bytes);
    if (!copy) return MOPD_E_NOMEM;
    names->name[names->n++] = copy;
    return MOPD_OK;
}

void mo_names_free(mo_names *names)
{
    for (size_t i = 0; i < names->n; i++) mo_free(names->name[i]);
    mo_free(names->name);
    *names = (mo_names){0};
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

mopd_status mo_dir_list(mo_names *names, const char *path)
{
    *names = (mo_names){0};
    DIR *dir = opendir(path);
    if (!dir) return mo_fail_errno(MOPD_E_IO, "%s: cannot list", path);
    mopd_status st = MOPD_OK;
    for (struct dirent *e; st == MOPD_OK && (errno = 0, e = readdir(dir));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        st = mo_names_add(names, e->d_name, strlen(e->d_name));
    }
    if (st == MOPD_OK && errno) st = mo_fail_errno(MOPD_E_IO, "%s: cannot list", path);
    closedir(dir);
    if (st != MOPD_OK) mo_names_free(names);
    else if (names->n) qsort(names->name, names->n, sizeof *names->name, by_bytes);
    return st;
}
