/* SPDX-License-Identifier: MIT
 * merge.h - layers that were trained apart over the same input, as the one convolution that they are together (Ding et
 * al. 2021).
 *
 *     (k x k + norm) + (1 x 1 + norm) + norm = one k x k with a bias
 *
 * Begin with zeros, add branches, end. */
#ifndef MO_CLIP_MERGE_H
#define MO_CLIP_MERGE_H

#include "clip/weights.h"
#include "layer/depthwise.h"
#include "layer/linear.h"

typedef struct mo_merge {
    const mo_weights *weights;
    double eps;           /* of every norm */
    float *w, *bias;      /* [n x in x k x k], [n]; one block, owned */
    size_t n, in, kernel; /* outputs; inputs that each sees: all, or 1 of a filter a channel; k */
} mo_merge;

/* Zeros; shape: n, in, k.  NOMEM.  mo_merge_end frees it. */
mopd_status mo_merge_begin(mo_merge *out, const mo_weights *weights, double eps, const size_t shape[3]);
void mo_merge_end(mo_merge *m);

/* Adds a convolution of at most k x k: BRANCH.conv.weight and the norm BRANCH.bn; or NAME.weight and, with bias,
 * NAME.bias. */
mopd_status mo_merge_branch(mo_merge *m, const char *branch);
mopd_status mo_merge_layer(mo_merge *m, const char *name, bool bias);

/* Adds `times` the norm of what comes in; what comes in itself. */
mopd_status mo_merge_norm(mo_merge *m, const char *norm, float times);
void mo_merge_through(mo_merge *m);

/* Of all that was added: output o times gamma[o]; the input goes through a norm first (k = 1). */
mopd_status mo_merge_scale(mo_merge *m, const char *gamma);
mopd_status mo_merge_after_norm(mo_merge *m, const char *norm);

/* The sum as a layer: 1 x 1, or of gathered rows; one filter a channel, centred. */
mopd_status mo_merge_linear(mo_linear *out, const mo_merge *m, mo_precision precision);
mopd_status mo_merge_depthwise(mo_depthwise *out, const mo_merge *m, size_t stride, mo_act act);

#endif
