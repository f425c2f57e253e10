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
 * weights, each times the size of its input, and its bias.  The rule looks at weights alone (Xiao et al. 2023, SmoothQuant,
 * looks at inputs).  What was balanced needs no balance. */
#ifndef MO_LAYER_BALANCE_H
#define MO_LAYER_BALANCE_H

#include "layer/block.h"

/* A block whose weights are floats, which are its own from then on.  NOMEM. */
mopd_status mo_balance_block(mo_block *block);

#endif
