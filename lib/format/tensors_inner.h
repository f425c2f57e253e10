/* SPDX-License-Identifier: MIT
 * tensors_inner.h - what the formats fill in when they open a file of tensors. */
#ifndef MO_FORMAT_TENSORS_INNER_H
#define MO_FORMAT_TENSORS_INNER_H

#include "base/map.h"
#include "format/index.h"
#include "format/tensors.h"

typedef struct mo_tensor {
    const char *name;
    mo_view view;
} mo_tensor;

struct mo_tensors {
    mo_map map; /* {0} over a caller's bytes */
    const unsigned char *bytes;
    size_t n_bytes;
    char *path;
    size_t n;
    mo_tensor *tensor; /* n, in the order of the file */
    mo_index names;
    const char **meta_value; /* in the order of the file; meta.item[].at leads here */
    mo_index meta;
    void *parts; /* the format's own: what names, texts and copies lie in */
    void (*free_parts)(void *parts);
};

/* Reads t->bytes: makes the tensors with mo_tensors_make and fills them, metadata too where there is
 * some.  Messages name t->path.  What it leaves behind on failure is freed with the handle. */
typedef mopd_status (*mo_tensors_reader)(mo_tensors *t);

/* A handle over a file, or over bytes of the caller that must outlive it, through a format's reader. */
mopd_status mo_tensors_open_file(mo_tensors **out, const char *path, bool read, mo_tensors_reader reader);
mopd_status mo_tensors_open_bytes(
    mo_tensors **out, const void *bytes, size_t n, const char *path, mo_tensors_reader reader);

/* Room for n tensors and n_meta texts, all zero.  Once. */
mopd_status mo_tensors_make(mo_tensors *t, size_t n, size_t n_meta);

#endif
