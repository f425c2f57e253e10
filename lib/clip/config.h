/* SPDX-License-Identifier: MIT
 * config.h - what a model is: sizes and settings that decide its results, whatever layout they were read from.
 *
 * Each layout of model/layouts fills one in; nothing here knows where it comes from. */
#ifndef MO_CLIP_CONFIG_H
#define MO_CLIP_CONFIG_H

#include <stdbool.h>

#include "base/fail.h"
#include "math/tensor.h"
#include "pixel/pixels.h"

typedef enum mo_vision_kind { MO_VISION_VIT = 0, MO_VISION_EFFNET = 1, MO_VISION_RESNET = 2 } mo_vision_kind;
typedef enum mo_end_rule { MO_END_LARGEST = 0, MO_END_FIRST = 1 } mo_end_rule;

/* A stack of transformer blocks. */
typedef struct mo_stack_config {
    uint32_t width, layers, heads, hidden; /* hidden: width of the MLP */
    mo_act act;                            /* MO_ACT_QUICK_GELU or MO_ACT_GELU */
    double eps;                            /* of every layer norm */
} mo_stack_config;

typedef struct mo_text_config {
    mo_stack_config stack;
    uint32_t context; /* longest text in tokens */
    uint32_t vocab;
    uint32_t end_rule; /* mo_end_rule */
    uint32_t end_id;   /* for MO_END_FIRST */
} mo_text_config;

typedef struct mo_vit_config {
    mo_stack_config stack;
    uint32_t patch;
} mo_vit_config;

#define MO_EFFNET_MAX_BLOCKS 64

/* One inverted residual: expand (1x1, unless expand == in), depthwise k x k with a stride, project (1x1). */
typedef struct mo_effnet_block {
    uint32_t in, expand, out, kernel, stride;
} mo_effnet_block;

typedef struct mo_effnet_config {
    uint32_t stem, features, classes; /* channels after the stem, after the head; classifier rows */
    uint32_t n_blocks;
    mo_effnet_block block[MO_EFFNET_MAX_BLOCKS];
    double eps; /* of batch norm */
} mo_effnet_config;

#define MO_RESNET_STAGES 4

/* CLIP's ModifiedResNet: stage s has layers[s] bottlenecks of width x 2^s inner channels, four times as many outside. */
typedef struct mo_resnet_config {
    uint32_t width, layers[MO_RESNET_STAGES];
    uint32_t heads; /* of the attention that pools */
    double eps;     /* of batch norm */
} mo_resnet_config;

typedef struct mo_config {
    uint32_t dim;         /* D */
    uint32_t image;       /* S, side of what the vision tower sees */
    uint32_t vision_kind; /* mo_vision_kind */
    mo_vit_config vit;
    mo_effnet_config effnet;
    mo_resnet_config resnet;
    mo_text_config text;
    mo_pixels pixels;
    double recommended_lr; /* of prompt learning; 0: none named */
} mo_config;

/* What files and users call a kind of vision tower. */
const char *mo_config_vision_name(uint32_t vision_kind);

/* The word of an activation in configuration files, and the activation of a word; false for an unknown one. */
const char *mo_config_activation_name(mo_act act);
bool mo_config_activation_find(mo_act *act, const char *word);

/* Sizes no tower can have, heads that do not divide the width, a side the patch does not divide: FORMAT or
 * UNSUPPORTED; preprocessing that makes another size than the tower sees: MISMATCH. */
mopd_status mo_config_check(const mo_config *config, const char *path);

/* Rows of the vision tower: patches and the class token. */
size_t mo_config_vit_rows(const mo_config *config);

/* Channels of a ResNet's last map, and its positions. */
size_t mo_config_resnet_features(const mo_config *config);
size_t mo_config_resnet_positions(const mo_config *config);

#endif
