/* SPDX-License-Identifier: MIT
 * vit_stem.c - norms folded into the convolutions before them. */
#include "clip/vit_stem.h"

#include <stdio.h>

#include "clip/merge.h"

#define EPS 1e-5 /* of the batch norms, whatever the layer norms of the tower have */

static mopd_status read_part(mo_merge *m, const mo_weights *weights, size_t i, const size_t shape[3])
{
    char name[MO_PARAM_NAME];
    mopd_status st = mo_merge_begin(m, weights, EPS, shape);
    if (st != MOPD_OK) return st;
    if (i < 2) {
        snprintf(name, sizeof name, "vision_model.embeddings.stem.%zu", i);
        return mo_merge_branch(m, name);
    }
    return mo_merge_layer(m, "vision_model.embeddings.stem.2.conv", true);
}

mopd_status mo_vit_stem_pack(
    mo_patch_stem *out, const mo_weights *weights, const size_t size[3], mo_precision precision)
{
    const size_t w = size[0], q = w / 4;
    const size_t shape[3][3] = {{q, 3, size[2] / 4}, {q, q, 2}, {w, q, 2}};
    mo_merge m[3] = {{0}};
    mo_patch_stem_part part[3];
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < 3 && st == MOPD_OK; i++) {
        st = read_part(&m[i], weights, i, shape[i]);
        part[i] = (mo_patch_stem_part){m[i].w, m[i].bias, m[i].n, m[i].in, m[i].kernel};
    }
    if (st == MOPD_OK) st = mo_patch_stem_pack(out, part, size + 1, precision);
    for (size_t i = 0; i < 3; i++) mo_merge_end(&m[i]);
    return st;
}
