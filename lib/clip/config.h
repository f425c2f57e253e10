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

typedef enum mo_vision_kind {
    MO_VISION_VIT = 0,
    MO_VISION_EFFNET = 1,
    MO_VISION_RESNET = 2,
    MO_VISION_FASTVIT = 3
} mo_vision_kind;
#define MO_VISION_KINDS 4
typedef enum mo_end_rule { MO_END_LARGEST = 0, MO_END_FIRST = 1, MO_END_LAST = 2 } mo_end_rule;
typedef enum mo_mask { MO_MASK_CAUSAL = 0, MO_MASK_NONE = 1 } mo_mask;

/* A stack of transformer blocks. */
typedef struct mo_stack_config {
    uint32_t width, layers, heads, hidden; /* hidden: width of the MLP */
    mo_act act;                            /* one of the GELUs */
    double eps;                            /* of every layer norm */
} mo_stack_config;

/* Without a mask each token sees all others: every text then has `context` rows, filled up with pads, which are seen
 * too.  MO_END_LAST, the last of these rows, is for such towers alone. */
typedef struct mo_text_config {
    mo_stack_config stack;
    uint32_t context; /* longest text in tokens */
    uint32_t vocab;
    uint32_t end_rule; /* mo_end_rule */
    uint32_t end_id;   /* for MO_END_FIRST */
    uint32_t mask;     /* mo_mask */
    uint32_t pad_id;   /* for MO_MASK_NONE */
    bool proj_bias;    /* the projection has a bias */
} mo_text_config;

/* The kinds of vision transformer.  Zero is CLIP's. */
typedef enum mo_vit_form {
    MO_VIT_CLIP = 0,
    MO_VIT_SIGLIP = 1,
    MO_VIT_MOBILECLIP = 2,
    MO_VIT_PE = 3,
    MO_VIT_TIMM = 4
} mo_vit_form;
#define MO_VIT_FORMS 5

/* What the forms differ in. */
typedef struct mo_vit_traits {
    const char *word; /* in files */
    bool class_row;   /* before the patches */
    bool pre_norm;    /* before the blocks */
    bool patch_bias;
    bool probe;      /* the feature is pooled from all rows by a learned query; else it is the class row */
    bool projection; /* W to D; else D is W */
    bool projection_bias;
    bool stem; /* patches come through three convolutions (vit_stem.h), and the class row has no position */
    bool rope; /* queries and keys of patches are turned by where they lie (layer/rope.h) */
    uint32_t pool_heads; /* of the probe; 0: as many as the blocks have */
} mo_vit_traits;

typedef struct mo_vit_config {
    mo_stack_config stack;
    uint32_t patch; /* what is left of the side beyond whole patches is not seen */
    uint32_t form;  /* mo_vit_form */
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

#define MO_FASTVIT_STAGES 5 /* at most */
#define MO_FASTVIT_MIXING 3 /* stages that mix by convolution; those after attend */
#define MO_FASTVIT_HEAD 32  /* channels of a head of attention */

typedef enum mo_fastvit_form { MO_FASTVIT_SMALL = 0, MO_FASTVIT_LARGE = 1 } mo_fastvit_form;
#define MO_FASTVIT_FORMS 2

/* What the forms differ in. */
typedef struct mo_fastvit_traits {
    const char *word; /* in files */
    bool stem_scale;  /* 1 x 1 branches in the stem */
    bool squeeze;     /* where stages 2 and on begin */
    bool layer_norm;  /* before attention; else batch norm */
} mo_fastvit_traits;

/* FastViT: stage s has layers[s] blocks of width[s] channels; each stage halves the side, the stem quarters it. */
typedef struct mo_fastvit_config {
    uint32_t form; /* mo_fastvit_form */
    uint32_t n_stages, layers[MO_FASTVIT_STAGES], width[MO_FASTVIT_STAGES];
    uint32_t ratio; /* hidden channels of an MLP for each of its channels */
    double eps;     /* of every norm */
} mo_fastvit_config;

typedef struct mo_config {
    uint32_t dim;         /* D */
    uint32_t image;       /* S, side of what the vision tower sees */
    uint32_t vision_kind; /* mo_vision_kind */
    mo_vit_config vit;
    mo_effnet_config effnet;
    mo_resnet_config resnet;
    mo_fastvit_config fastvit;
    mo_text_config text;
    mo_pixels pixels;
    bool logit_bias; /* logits have a constant, with which they are absolute: sigmoid(scale cosine + bias) */
    double recommended_lr; /* of prompt learning; 0: none named */
} mo_config;

/* What files and users call a kind of vision tower. */
const char *mo_config_vision_name(uint32_t vision_kind);

/* The word of an activation in configuration files, and the activation of a word; false for an unknown one. */
const char *mo_config_activation_name(mo_act act);
bool mo_config_activation_find(mo_act *act, const char *word);

/* Sizes no tower can have, heads that do not divide the width, a patch larger than the side: FORMAT or UNSUPPORTED;
 * preprocessing that makes another size than the tower sees: MISMATCH. */
mopd_status mo_config_check(const mo_config *config, const char *path);

const mo_vit_traits *mo_config_vit_traits(uint32_t form);

/* Rows of the vision tower: the class token, where it has one, and patches. */
size_t mo_config_vit_rows(const mo_config *config);

/* Channels of a ResNet's last map, and its positions. */
size_t mo_config_resnet_features(const mo_config *config);
size_t mo_config_resnet_positions(const mo_config *config);

const mo_fastvit_traits *mo_config_fastvit_traits(uint32_t form);

/* Channels between the two layers of a squeeze over so many: where a stage begins, and of the last map. */
size_t mo_config_fastvit_reduced(size_t channels);
size_t mo_config_fastvit_reduced_last(size_t channels);

#endif
