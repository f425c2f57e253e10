/* SPDX-License-Identifier: MIT
 * tower.h - what the transformer towers share: parameters by name into packed blocks, done once under a lock. */
#ifndef MO_CLIP_TOWER_H
#define MO_CLIP_TOWER_H

#include "base/once.h"
#include "clip/weights.h"
#include "layer/block.h"

/* Most bytes of working memory that the text tower keeps from one call to the next. */
#define MO_TEXT_KEPT ((size_t)16 << 20)

/* out (mo_mem_alloc'd) = all floats of a parameter. */
mopd_status mo_tower_floats(float **out, const mo_weights *weights, const char *name);

/* "PREFIX.weight" and ".bias" of a layer norm of `dim` into one block: gamma, then beta. */
mopd_status mo_tower_norm(
    float **out, mo_norm *norm, const mo_weights *weights, const char *prefix, float eps);

/* "PREFIX.weight" (and, with bias, "PREFIX.bias") as a linear layer: mo_mat_quantize_edge. */
mopd_status mo_tower_linear(
    mo_linear *out, const mo_weights *weights, const char *prefix, bool bias, mo_precision precision);

/* Blocks 0 .. layers-1 of "PREFIX.encoder.layers.N."; *out has stack->layers of them.  Pages of the file are
 * given back block by block. */
mopd_status mo_tower_blocks(mo_block **out, const mo_weights *weights, const char *prefix,
    const mo_stack_config *stack, mo_precision precision);
/* One of them. */
mopd_status mo_tower_block(mo_block *out, const mo_weights *weights, const char *prefix, uint32_t index,
    const mo_stack_config *stack, mo_precision precision);
void mo_tower_blocks_free(mo_block *blocks, size_t layers);

#endif
