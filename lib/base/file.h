/* SPDX-License-Identifier: MIT
 * file.h - regular files opened and read whole. */
#ifndef MO_BASE_FILE_H
#define MO_BASE_FILE_H

#include "base/buf.h"

/* Opens a regular file for reading and tells its size.  IO names path and the system's reason, or what
 * lies there instead: a directory, a pipe, a device.  Nothing is waited for. */
mopd_status mo_file_open(int *fd, uint64_t *size, const char *path);

/* Half of all addresses: in more, pointers cannot be subtracted. */
#define MO_FILE_MOST ((size_t)PTRDIFF_MAX)

/* A file's size as one of memory.  NOMEM beyond `most`, which is MO_FILE_MOST. */
mopd_status mo_file_size(size_t *out, uint64_t size, size_t most, const char *path);

/* Reads up to n bytes, fewer only at the end of the file: *got. */
mopd_status mo_file_read_bytes(int fd, void *out, size_t n, size_t *got, const char *path);

/* Reads a whole file of at most limit bytes into buf (emptied first).  UNSUPPORTED beyond the limit. */
mopd_status mo_file_read(mo_buf *buf, const char *path, size_t limit);

/* The same, but `look` is given the first bytes, MO_FILE_HEAD where there are so many, before room is made for the others and
 * they are read.  Where it fails, so does this, with the path in front. */
#define MO_FILE_HEAD 1024
typedef mopd_status mo_file_look(const void *head, size_t n_bytes);
mopd_status mo_file_read_looking(mo_buf *buf, const char *path, size_t limit, mo_file_look *look);

bool mo_file_exists(const char *path);
bool mo_file_is_dir(const char *path);

/* What lies at a path: nothing, which a link may lead to; a folder; anything else.  IO: it may not be looked at. */
typedef enum mo_file_kind { MO_FILE_NONE, MO_FILE_DIR, MO_FILE_OTHER } mo_file_kind;
mopd_status mo_file_look_at(mo_file_kind *kind, const char *path);

#endif
