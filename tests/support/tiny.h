/* SPDX-License-Identifier: MIT
 * tiny.h - a CLIP model small enough for a test: random weights, a real tokenizer with five merges. */
#ifndef MOPD_TESTS_SUPPORT_TINY_H
#define MOPD_TESTS_SUPPORT_TINY_H

#include "mopd/mopd.h"

#define TINY_DIM 12     /* D */
#define TINY_WIDTH 16   /* W of both towers */
#define TINY_CONTEXT 24 /* tokens */
#define TINY_IMAGE 8    /* S */
#define TINY_VOCAB 519

/* Writes a Hugging Face CLIP directory (config.json, model.safetensors, preprocessor_config.json,
 * vocab.json, merges.txt) with weights drawn from seed and returns its path (as test_path).  "a photo of a"
 * has four tokens; other words have one a letter. */
const char *tiny_model(uint32_t seed);

/* One of width 64, whose weights can be panels of 8 bits. */
#define TINY_WIDE 64
const char *tiny_wide_model(void);

/* Opens it with a number of threads; fails the test otherwise. */
mopd_encoder *tiny_open(uint32_t seed, uint32_t n_threads);

#define TINY_CLASSES 6
extern const char *const tiny_classes[TINY_CLASSES];

/* Five teachers, and options of a short training with them: a batch of 8, quick rates. */
extern const char *const tiny_templates[5];
mopd_trainer_options tiny_training(int32_t method, uint32_t epochs);

/* Pictures that look like their classes: features, n x V x D, rows of length 1, are the class's text feature
 * with noise; labels, n = TINY_CLASSES x per_class, class by class. */
void tiny_features(const mopd_encoder *encoder, size_t per_class, size_t n_views, uint32_t seed,
    float *features, int32_t *labels);

#endif
