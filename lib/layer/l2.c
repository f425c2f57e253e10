/* SPDX-License-Identifier: MIT
 * l2.c - rows divided by their Euclidean length, and the gradient. */
#include "layer/l2.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "math/kern.h"

void mo_l2_fwd(float *y, const float *x, float *norms, size_t rows, size_t dim)
{
    const mo_kern *kern = mo_kern_get();
    for (size_t r = 0; r < rows; r++) {
        const float norm = sqrtf(kern->dot(x + r * dim, x + r * dim, dim));
        const bool good = norm > 0 && isfinite(norm);
        kern->scale(y + r * dim, good ? 1.0f / norm : 1.0f, x + r * dim, dim);
        if (norms) norms[r] = good ? norm : 0;
    }
}

void mo_l2_bwd(float *dx, const float *dy, const float *y, const float *norms, size_t rows, size_t dim)
{
    const mo_kern *kern = mo_kern_get();
    for (size_t r = 0; r < rows; r++) {
        float *d = dx + r * dim;
        if (norms[r] == 0) {
            memset(d, 0, dim * sizeof *d);
            continue;
        }
        const float along = kern->dot(y + r * dim, dy + r * dim, dim), f = 1.0f / norms[r];
        kern->scale(d, f, dy + r * dim, dim);
        kern->axpy(d, -along * f, y + r * dim, dim);
    }
}
