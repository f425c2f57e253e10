/* SPDX-License-Identifier: MIT
 * weights.h - a model's parameters under one set of names, wherever and however they are stored.
 *
 * The names are Hugging Face's for CLIP ("text_model.encoder.layers.0.self_attn.q_proj.weight"), "image_model." + the
 * EfficientNet package's names, and "head." for the locked tower's head.  A parameter is a view into a mapped file: a
 * part of a fused matrix and a matrix stored the other way round are views too. */
#ifndef MO_CLIP_WEIGHTS_H
#define MO_CLIP_WEIGHTS_H

#include "base/num.h"
#include "base/status.h"

typedef struct mo_weights mo_weights;

#endif
