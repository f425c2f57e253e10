/* SPDX-License-Identifier: MIT
 * sgd.c - the update in two halves, so that a step that fails leaves all parameters as they were. */
#include "train/sgd.h"

#include "base/floats.h"

bool mo_sgd_try(const mo_sgd *sgd, mo_learned *a)
{
    for (size_t i = 0; i < a->n; i++) {
        float g = a->g[i] + sgd->decay * a->p[i];
        a->next_v[i] = sgd->momentum * a->v[i] + g;
        a->next_p[i] = a->p[i] - sgd->lr * a->next_v[i];
    }
    return mo_floats_finite(a->next_v, a->n) && mo_floats_finite(a->next_p, a->n);
}

void mo_sgd_take(mo_learned *a)
{
    float *p = a->p, *v = a->v;
    a->p = a->next_p;
    a->v = a->next_v;
    a->next_p = p;
    a->next_v = v;
}
