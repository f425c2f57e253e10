/* SPDX-License-Identifier: MIT
 * leftover.h - stored tensors that no parameter asked for: which may be there, and which say that the model is
 * another one.
 *
 *     ignored by the naming       buffers; they are not spoken of
 *     extra                       an optimiser's state, a head of a training: named, and not used
 *     refused                     a layer more; anything inside a layer that is used, a bias beside a used weight,
 *                                 a second tensor of a used name: the results would not be the model's.  All,
 *                                 where the naming is strict. */
#ifndef MO_CLIP_LEFTOVER_H
#define MO_CLIP_LEFTOVER_H

#include "clip/naming.h"
#include "format/tensors.h"

typedef struct mo_leftover {
    mo_tensors *const *file;
    size_t n_files;
    const mo_view *const *used; /* sorted by address */
    size_t n_used;
    const mo_naming *naming;
    const char *prefix; /* of wrap.h: tensors without it are not of the model */
} mo_leftover;

/* Collects the names of extra tensors, which point into the files; mo_mem_free the array. */
mopd_status mo_leftover_find(const mo_leftover *l, const char ***names, size_t *n);

#endif
