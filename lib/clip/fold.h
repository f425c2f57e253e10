/* SPDX-License-Identifier: MIT
 * fold.h - a stored convolution with the batch norm behind it folded into its weights. */
#ifndef MO_CLIP_FOLD_H
#define MO_CLIP_FOLD_H

#include "clip/weights.h"
#include "layer/linear.h"

/* w [n x k], bias [n], in one block of memory; shape: of the stored weights. */
typedef struct mo_fold {
    float *w, *bias;
    size_t shape[4];
    mo_view view, bias_view;
} mo_fold;

/* Parameters CONV.weight and NORM.weight, .bias, .running_mean, .running_var.  Free with mo_fold_free. */
mopd_status mo_fold_read(
    mo_fold *out, const mo_weights *weights, const char *conv, const char *norm, double eps);
void mo_fold_free(mo_fold *fold);

/* A batch norm alone: x scale + shift, n floats each. */
mopd_status mo_fold_norm(
    float *scale, float *shift, const mo_weights *weights, const char *norm, size_t n, double eps);

/* mo_fold_read as a linear layer: a 1 x 1 convolution, or one of gathered rows. */
mopd_status mo_fold_pack(mo_linear *out, const mo_weights *weights, const char *const names[2], double eps,
    mo_precision precision);

#endif
