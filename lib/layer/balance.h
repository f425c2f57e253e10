/* SPDX-License-Identifier: MIT
 * balance.h - channels that are far larger than the others, made smaller before their rows are quantized to 8 bits.
 *
 * A norm's gamma and beta of a channel divided by s, and the weights behind it times s, leave the block's function as it
 * is; so do a value's weights and bias divided by s, and those of the output layer that reads it times s.
 *
 *     r = sqrt(size of the channel / largest weight that reads it),  s = r / median of r, as a power of two, where that is
 *     4 or more, else 1
 *
 * with size = sqrt(gamma^2 + beta^2) behind a norm, whose rows have the mean square 1 before, and of a value the length of its
 * weights, each times the size of its input, and its bias.  The rule looks at weights alone.  What was balanced needs no
 * balance.
 *
 * Where rows were seen, r may have the largest number of the channel in them for its size, and s all powers of two (Xiao et al.
 * 2023, SmoothQuant).  Each place takes that only if 8 bits then change its results of these rows by less. */
#ifndef MO_LAYER_BALANCE_H
#define MO_LAYER_BALANCE_H

#include "layer/block.h"

/* Rows of W that one product of a block read. */
typedef struct mo_balance_seen {
    float *most; /* W: the largest |x| of each channel in all rows */
    float *rows; /* n_rows x W: some of them */
    size_t n_rows;
} mo_balance_seen;

/* A block whose weights are floats, which are its own from then on.  NOMEM. */
mopd_status mo_balance_block(mo_block *block);

/* The same by rows: seen[place] as mo_block_watch tells of them.  The same bits for every pool.  NOMEM. */
mopd_status mo_balance_block_seen(
    mo_block *block, const mo_balance_seen seen[MO_BLOCK_PLACES], mo_pool *pool);

#endif
