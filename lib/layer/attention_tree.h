/* SPDX-License-Identifier: MIT
 * attention_tree.h - attention of rows to the rows before them in a prefix tree; attention_pick.c calls it. */
#ifndef MO_LAYER_ATTENTION_TREE_H
#define MO_LAYER_ATTENTION_TREE_H

#include "layer/attention.h"

/* Scratch of one worker for sequences of at most `longest` rows. */
size_t mo_attention_tree_floats(size_t longest);
void mo_attention_tree_fwd(mo_pool *pool, float *out, const mo_attention *a);
void mo_attention_tree_bwd(mo_pool *pool, const mo_attention_grad *grad, const mo_attention *a);

#endif
