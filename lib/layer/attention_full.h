/* SPDX-License-Identifier: MIT
 * attention_full.h - attention of every row to all rows of its sequence, by tiles; attention_pick.c calls it. */
#ifndef MO_LAYER_ATTENTION_FULL_H
#define MO_LAYER_ATTENTION_FULL_H

#include "layer/attention.h"

/* Scratch of one worker for heads of d floats and sequences of n rows. */
size_t mo_attention_full_floats(size_t d, size_t n);
void mo_attention_full(mo_pool *pool, float *out, const mo_attention *a);

size_t mo_attention_full_bwd_floats(size_t d, size_t n);
void mo_attention_full_bwd(mo_pool *pool, const mo_attention_grad *grad, const mo_attention *a);

#endif
