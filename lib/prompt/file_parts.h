/* SPDX-License-Identifier: MIT
 * file_parts.h - the arrays of a fitted thing as tensors of its file: written in order, read with everything checked. */
#ifndef MO_PROMPT_FILE_PARTS_H
#define MO_PROMPT_FILE_PARTS_H

#include "format/safetensors.h"
#include "format/tensors.h"

/* A tensor of the file and where its numbers lie in memory. */
typedef struct mo_file_part {
    const char *name;
    mo_dtype dtype;
    int n_dims;
    size_t shape[3];
    void **data;
} mo_file_part;

mopd_status mo_file_parts_declare(mo_safetensors_writer *w, const mo_file_part *list, size_t n);
mopd_status mo_file_parts_write(mo_safetensors_writer *w, const mo_file_part *list, size_t n);

/* Allocates and fills them.  FORMAT for another shape or type than "a recogniser's" (whose), or a number that is not
 * finite. */
mopd_status mo_file_parts_read(const mo_file_part *list, size_t n, const mo_tensors *file, const char *whose);

#endif
