/* SPDX-License-Identifier: MIT
 * attention_few.h - what attention.c needs to know of attention_few.c. */
#ifndef MO_LAYER_ATTENTION_FEW_H
#define MO_LAYER_ATTENTION_FEW_H

#include "layer/attention.h"

/* Scratch of one worker for rows of `width` floats and sequences of at most `longest` rows. */
size_t mo_attention_few_floats(size_t width, size_t longest);

#endif
