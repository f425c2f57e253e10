/* SPDX-License-Identifier: MIT
 * store.h - what the parts of reading and writing a store share: store.c, store_roots.c. */
#ifndef MO_DATA_STORE_H
#define MO_DATA_STORE_H

#include "base/names.h"
#include "data/dataset.h"
#include "format/json.h"

/* A store that is read. */
typedef struct mo_store_place {
    const char *path;   /* of the file, for messages */
    const char *folder; /* that it lies in */
} mo_store_place;

/* Declares where the pictures lie, as it is seen from a store at `path`. */
mopd_status mo_store_roots_declare(mo_safetensors_writer *w, const mopd_dataset *d, const char *path);

/* The folders of the list `roots`, as this process can reach them. */
mopd_status mo_store_roots_read(mo_names *out, const mo_json *list, const mo_store_place *place);

/* The one of picture i: the first where root_of is NULL.  Owned by names. */
mopd_status mo_store_roots_pick(
    const mo_names *names, const mo_json *root_of, size_t i, const char *path, const char **root);

#endif
