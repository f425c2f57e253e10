/* SPDX-License-Identifier: MIT
 * params.h - the parameters a configuration asks for: their names here, in each layout, and their shapes.
 *
 *     layout       text                            vision
 *     HF, PACKED   text_model.encoder.layers.0.    vision_model.encoder.layers.0.    q, k, v apart
 *     OPENAI       transformer.resblocks.0.        visual.transformer.resblocks.0.   q, k, v as one in_proj
 *     LOCKED       as HF                           _blocks.0. (EfficientNet)         and the head's file
 *
 * The names in this library are those of the first line; PACKED files hold exactly them. */
#ifndef MO_CLIP_PARAMS_H
#define MO_CLIP_PARAMS_H

#include "clip/config.h"

typedef enum mo_layout { MO_LAYOUT_HF, MO_LAYOUT_OPENAI, MO_LAYOUT_LOCKED, MO_LAYOUT_PACKED } mo_layout;

#define MO_PARAM_NAME 96

typedef struct mo_param_spec {
    char name[MO_PARAM_NAME];   /* here */
    char stored[MO_PARAM_NAME]; /* in the file */
    int part;                   /* 0: the whole tensor; 1, 2, 3: q, k, v of a fused one */
    bool in_out;                /* stored [inputs][outputs] */
    int n_dims;
    size_t shape[4]; /* as [outputs][inputs], of the part */
} mo_param_spec;

typedef mopd_status (*mo_param_fn)(void *ctx, const mo_param_spec *spec);

/* Calls fn for every parameter, always in the same order; stops at the first failure. */
mopd_status mo_params_each(const mo_config *config, mo_layout layout, mo_param_fn fn, void *ctx);

#endif
