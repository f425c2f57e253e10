/* SPDX-License-Identifier: MIT
 * param_spec.h - one parameter that a configuration asks for. */
#ifndef MO_CLIP_PARAM_SPEC_H
#define MO_CLIP_PARAM_SPEC_H

#include <stddef.h>

#include "base/fail.h"

#define MO_PARAM_NAME 96

typedef struct mo_param_spec {
    char name[MO_PARAM_NAME];
    int n_dims;
    size_t shape[4]; /* a matrix is [outputs][inputs] */
} mo_param_spec;

typedef mopd_status (*mo_param_fn)(void *ctx, const mo_param_spec *spec);

#endif
