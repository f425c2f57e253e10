/* SPDX-License-Identifier: MIT
 * attention_normed.h - what attention_pick.c needs to know of attention_normed.c. */
#ifndef MO_LAYER_ATTENTION_NORMED_H
#define MO_LAYER_ATTENTION_NORMED_H

#include "layer/attention.h"

/* Scratch of one worker for rows of `width` floats and sequences of at most `longest` rows. */
size_t mo_attention_normed_floats(size_t width, size_t longest);

#endif
