/* SPDX-License-Identifier: MIT
 * file.h - files of a program's own, written as the library writes its models, prompts and stores, and told by how they
 * begin. */
#ifndef MOPD_FILE_H
#define MOPD_FILE_H

#include "status.h"

MOPD_BEGIN_DECLS

/* Writes n_bytes as the file at path: pages, lists, reports.  A file that was there is whole until the new one is, and
 * stays when the call fails or the program is killed.  The bytes go into a file of a name that nobody can foresee in the
 * same folder (.mopd-...part), which is synced and renamed; the folder is synced then.  A new file has the mode that the
 * umask leaves, one that is replaced keeps its own.  What killed programs have left unfinished in that folder is
 * removed; what others are still writing is not.  All functions that save do this.
 *
 * A symbolic link stays one, and what it leads to is replaced.  Character devices, pipes that somebody reads, and the
 * names /dev/stdout, /dev/stderr and /dev/fd/N are written in place.  IO: a folder, a block device, a socket, a symbolic
 * link that leads to nothing or in a circle, no permission, a full disk: the message has the system's reason.  bytes may
 * be NULL where n_bytes is 0.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_file_save(const char *path, const void *bytes, size_t n_bytes);

/* Whether a file could be saved at path as things are, for asking before hours of work; nothing is written.  IO as
 * above, but that the disk is full is not foreseen.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_file_check(const char *path);

/* What begins with these n_bytes (64 are enough), for messages about a file that is not what was wanted: "a JPEG
 * picture", "a zip archive", "a pointer of Git LFS, not the file itself: git lfs pull fetches it".  NULL: nothing that is
 * known by its beginning, such as plain text.  The text is the library's, for ever.  bytes may be NULL where n_bytes is
 * 0.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_file_kind(const void *bytes, size_t n_bytes);

MOPD_END_DECLS

#endif
