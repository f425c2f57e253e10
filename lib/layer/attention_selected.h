/* SPDX-License-Identifier: MIT
 * attention_selected.h - what attention_tree.c needs to know of attention_selected.c. */
#ifndef MO_LAYER_ATTENTION_SELECTED_H
#define MO_LAYER_ATTENTION_SELECTED_H

#include "layer/attention.h"

/* Scratch of one worker for rows of `width` floats and sequences of at most `longest` rows. */
size_t mo_attention_selected_floats(size_t width, size_t longest);

#endif
