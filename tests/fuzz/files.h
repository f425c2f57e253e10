/* SPDX-License-Identifier: MIT
 * files.h - inputs as files and folders, for readers that take paths. */
#ifndef MOPD_TESTS_FUZZ_FILES_H
#define MOPD_TESTS_FUZZ_FILES_H

#include <stddef.h>
#include <stdint.h>

/* The path of a file that holds the bytes.  Valid until the next call. */
const char *fuzz_file(const uint8_t *data, size_t n);

/* A folder whose files come from one input.  A line "@@NAME" starts the file of that name, which ends before
 * the next such line; only the names of the list count, and of two files of one name the first.  A file that
 * the input leaves out is that of `base`, a folder of tests/fuzz/base (NULL: there is none); one whose bytes
 * are "-" alone does not exist.  A program writes one kind of folder only. */
typedef struct fuzz_folder {
    const char *base;
    const char *const *names;
    size_t n_names; /* at most 32 */
} fuzz_folder;
const char *fuzz_folder_write(const fuzz_folder *folder, const uint8_t *data, size_t n);

/* A folder with nothing in it.  Valid until the next call, which removes it. */
const char *fuzz_folder_empty(void);

/* The path of a file in tests/fuzz/base.  Valid until the next call but one. */
const char *fuzz_base(const char *name);

#endif
