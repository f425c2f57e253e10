/* SPDX-License-Identifier: MIT
 * sgd.h - stochastic gradient descent with momentum and weight decay, as PyTorch's (docs/method.md 5.1).
 *
 *     g = g + decay p;  v = momentum v + g;  p = p - lr v            v starts as zeros */
#ifndef MO_TRAIN_SGD_H
#define MO_TRAIN_SGD_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mo_sgd {
    float lr, momentum, decay;
} mo_sgd;

/* An array that learns: values, velocity, gradient, n each, and room for what they become. */
typedef struct mo_learned {
    float *p, *v, *g;
    float *next_p, *next_v;
    size_t n;
} mo_learned;

/* next_p, next_v from p, v, g; false when one of them is not finite.  mo_sgd_take makes them p and v. */
bool mo_sgd_try(const mo_sgd *sgd, mo_learned *param);
void mo_sgd_take(mo_learned *a);

#endif
