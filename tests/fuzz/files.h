/* SPDX-License-Identifier: MIT
 * files.h - inputs as files and folders, for readers that take paths. */
#ifndef MOPD_TESTS_FUZZ_FILES_H
#define MOPD_TESTS_FUZZ_FILES_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_MOST_FILES 32 /* of a folder */

/* The path of a file that holds the bytes.  Valid until the next call. */
const char *fuzz_file(const uint8_t *data, size_t n);

/* The path of a name beside it.  Valid until the next call but one. */
const char *fuzz_beside(const char *name);

/* Two files of the same bytes: what was read of the library's own output is written as it was. */
void fuzz_same(const char *first, const char *second);

/* A folder whose files come from one input.  A line "@@NAME" starts the file of that name, which ends before
 * the next such line; only the names of the list count, and of two files of one name the first.  A file that
 * the input leaves out is that of `base`, a folder of tests/fuzz/base (NULL: there is none); one whose bytes
 * are "-" alone does not exist.  A program writes one kind of folder only. */
typedef struct fuzz_folder {
    const char *base;
    const char *const *names;
    size_t n_names; /* at most FUZZ_MOST_FILES */
} fuzz_folder;
const char *fuzz_folder_write(const fuzz_folder *folder, const uint8_t *data, size_t n);

/* The index of the name whose line "@@NAME" begins at the start of the bytes, -1 when none does; bytes of the line. */
int fuzz_folder_line(const fuzz_folder *folder, const uint8_t *data, size_t n, size_t *n_line);

/* A folder with nothing in it.  Valid until the next call, which removes it. */
const char *fuzz_folder_empty(void);

/* The path of a file in tests/fuzz/base.  Valid until the next call but one. */
const char *fuzz_base(const char *name);

#endif
