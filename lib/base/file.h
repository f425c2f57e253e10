/* SPDX-License-Identifier: MIT
 * file.h - files read whole, mapped, listed, and written so that a half-written one is never seen. */
#ifndef MO_BASE_FILE_H
#define MO_BASE_FILE_H

#include <stdio.h>

#include "base/buf.h"

/* A file's bytes: a private read-only mapping, or a block of memory. */
typedef struct mo_map {
    const unsigned char *data;
    size_t size;
    bool mapped;
} mo_map;

/* Maps path, or reads it when `read` is set.  IO names path and the system's reason; a directory is IO too. */
mopd_status mo_map_open(mo_map *map, const char *path, bool read);
void mo_map_close(mo_map *map);

/* Tells the system that these bytes of a mapping are not needed now; nothing for memory. */
void mo_map_release(const mo_map *map, const void *start, size_t n_bytes);

/* Reads a whole file of at most limit bytes into buf (emptied first).  UNSUPPORTED beyond the limit. */
mopd_status mo_file_read(mo_buf *buf, const char *path, size_t limit);

/* A file being written beside `path`; commit flushes, fsyncs and renames it into place, drop removes it. */
typedef struct mo_out {
    FILE *stream;
    char *path;
    char *temp;
} mo_out;

mopd_status mo_out_open(mo_out *out, const char *path);
mopd_status mo_out_write(mo_out *out, const void *bytes, size_t n);
mopd_status mo_out_commit(mo_out *out);
void mo_out_drop(mo_out *out);

bool mo_file_exists(const char *path);
bool mo_file_is_dir(const char *path);

/* "dir/name" (name alone when it is absolute or dir is ""); mo_free it. */
char *mo_path_join(const char *dir, const char *name);

/* The folder part of a path ("." when there is none); mo_free it. */
char *mo_path_dir(const char *path);

/* Names in a folder without "." and "..", in byte order.  Free with mo_names_free. */
typedef struct mo_names {
    char **name;
    size_t n;
} mo_names;

mopd_status mo_dir_list(mo_names *names, const char *path);
mopd_status mo_names_add(mo_names *names, const char *name, size_t n_bytes);
void mo_names_free(mo_names *names);

#endif
