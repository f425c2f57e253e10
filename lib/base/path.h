/* SPDX-License-Identifier: MIT
 * path.h - paths joined and taken apart. */
#ifndef MO_BASE_PATH_H
#define MO_BASE_PATH_H

#include "base/mem.h"

/* "dir/name" (name alone when it is absolute or dir is ""); mo_mem_free it. */
char *mo_path_join(const char *dir, const char *name);

/* The same into room of the caller's, no more bytes than are told; the bytes that it took, the final zero among them. */
size_t mo_path_join_bytes(const char *dir, const char *name);
size_t mo_path_join_to(char *out, const char *dir, const char *name);

/* Whether it begins at the top, with "/" or with a drive where the system has them. */
bool mo_path_is_whole(const char *path);

/* What is behind the last slash, the path itself where there is none. */
const char *mo_path_name(const char *path);

/* The folder part of a path ("." when there is none); mo_mem_free it. */
char *mo_path_dir(const char *path);

/* Whether a path leads to nothing above where it starts: it is relative, and no part of it is "..". */
bool mo_path_stays(const char *path);

/* The path from the top of the file system, without links, as far as there is something; mo_mem_free it. */
char *mo_path_real(const char *path);

/* Real paths: `path` as it is seen from the folder where it lies in it, "" for the folder itself; else as it is.
 * mo_mem_free it. */
char *mo_path_below(const char *folder, const char *path);

#endif
