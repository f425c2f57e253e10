/* SPDX-License-Identifier: MIT
 * openai_names.c - the table of OpenAI's names.
 *
 * Queries, keys and values are one tensor, and the two projections stand [inputs][outputs]. */
#include "model/layouts/openai_names.h"

#include "model/layouts/layout_files.h"

#define BLOCK(here, there)                                                                                   \
    {here "layer_norm1.weight", there "ln_1.weight", 0, 0, false},                                           \
        {here "layer_norm1.bias", there "ln_1.bias", 0, 0, false},                                           \
        {here "self_attn.q_proj.weight", there "attn.in_proj_weight", 0, 3, false},                          \
        {here "self_attn.q_proj.bias", there "attn.in_proj_bias", 0, 3, false},                              \
        {here "self_attn.k_proj.weight", there "attn.in_proj_weight", 1, 3, false},                          \
        {here "self_attn.k_proj.bias", there "attn.in_proj_bias", 1, 3, false},                              \
        {here "self_attn.v_proj.weight", there "attn.in_proj_weight", 2, 3, false},                          \
        {here "self_attn.v_proj.bias", there "attn.in_proj_bias", 2, 3, false},                              \
        {here "self_attn.out_proj.weight", there "attn.out_proj.weight", 0, 0, false},                       \
        {here "self_attn.out_proj.bias", there "attn.out_proj.bias", 0, 0, false},                           \
        {here "layer_norm2.weight", there "ln_2.weight", 0, 0, false},                                       \
        {here "layer_norm2.bias", there "ln_2.bias", 0, 0, false},                                           \
        {here "mlp.fc1.weight", there "mlp.c_fc.weight", 0, 0, false},                                       \
        {here "mlp.fc1.bias", there "mlp.c_fc.bias", 0, 0, false},                                           \
        {here "mlp.fc2.weight", there "mlp.c_proj.weight", 0, 0, false},                                     \
    {                                                                                                        \
        here "mlp.fc2.bias", there "mlp.c_proj.bias", 0, 0, false                                            \
    }

#define TEXT(before)                                                                                         \
    {"text_model.embeddings.token_embedding.weight", before "token_embedding.weight", 0, 0, false},          \
        {"text_model.embeddings.position_embedding.weight", before "positional_embedding", 0, 0, false},     \
        BLOCK("text_model.encoder.layers.*.", before "transformer.resblocks.*."),                            \
        {"text_model.final_layer_norm.weight", before "ln_final.weight", 0, 0, false},                       \
        {"text_model.final_layer_norm.bias", before "ln_final.bias", 0, 0, false},                           \
    {                                                                                                        \
        "text_projection.weight", before "text_projection", 0, 0, true                                       \
    }

#define RESNET                                                                                               \
    {                                                                                                        \
        "resnet.*", "visual.*", 0, 0, false                                                                  \
    }

/* A tower of timm that keeps its own names; open_clip stores it beside a text tower apart. */
#define FASTVIT                                                                                              \
    {                                                                                                        \
        "fastvit.*", "visual.trunk.*", 0, 0, false                                                           \
    }

#define VISION                                                                                               \
    {"vision_model.embeddings.class_embedding", "visual.class_embedding", 0, 0, false},                      \
        {"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight", 0, 0, false},              \
        {"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding", 0, 0, false},   \
        {"vision_model.pre_layrnorm.weight", "visual.ln_pre.weight", 0, 0, false},                           \
        {"vision_model.pre_layrnorm.bias", "visual.ln_pre.bias", 0, 0, false},                               \
        BLOCK("vision_model.encoder.layers.*.", "visual.transformer.resblocks.*."),                          \
        {"vision_model.post_layernorm.weight", "visual.ln_post.weight", 0, 0, false},                        \
        {"vision_model.post_layernorm.bias", "visual.ln_post.bias", 0, 0, false},                            \
    {                                                                                                        \
        "visual_projection.weight", "visual.proj", 0, 0, true                                                \
    }

static const mo_naming_rule joined[] = {TEXT(""), VISION, RESNET},
                            apart[] = {TEXT("text."), VISION, RESNET, FASTVIT};

/* Buffers, and the counts of OpenAI's archives. */
static const char *const ignored[] = {MO_LAYOUT_BUFFERS, "input_resolution", "context_length", "vocab_size"};

#define NAMING(rules)                                                                                        \
    {                                                                                                        \
        .rule = rules, .n_rules = sizeof(rules) / sizeof *(rules), .ignored = ignored,                       \
        .n_ignored = sizeof ignored / sizeof *ignored                                                        \
    }

const mo_naming mo_openai_names = NAMING(joined);
const mo_naming mo_openai_names_text_apart = NAMING(apart);
