/* SPDX-License-Identifier: MIT
 * context.h - the student's token sequences (docs/method.md 3.1) and where its vectors start.
 *
 *     end:     [start]  v1 .. vn  name  .  [end]
 *     middle:  [start]  v1 .. vn/2  name  vn/2+1 .. vn  .  [end]
 *     front:   [start]  name  v1 .. vn  .  [end]
 *
 * Vectors stand as MO_TEXT_CTX | j.  The words "name." are tokenised together, as in CoOp: the frozen text is
 * "a photo of a name." with the tokens of the words replaced. */
#ifndef MO_PROMPT_CONTEXT_H
#define MO_PROMPT_CONTEXT_H

#include "model/encoder.h"
#include "mopd/prompt.h"

typedef struct mo_context_shape {
    size_t n;         /* vectors of a class */
    int32_t position; /* MOPD_CLASS_... */
    bool per_class;   /* class c has references c n .. c n + n - 1; else all have 0 .. n - 1 */
} mo_context_shape;

/* The names of MOPD_CLASS_END, _MIDDLE and _FRONT. */
#define MO_CONTEXT_POSITIONS 3
extern const char *const mo_context_positions[MO_CONTEXT_POSITIONS];

/* Vectors of a class where neither words nor a number are given. */
#define MO_CONTEXT_VECTORS 4

/* Vectors in all: n, or C x n. */
size_t mo_context_vectors(const mo_context_shape *shape, size_t n_classes);

/* Appends the sequences of all classes to tokens; start has n_classes + 1 entries.  ARG names the class whose
 * prompt is longer than the tower takes (cut instead when the encoder truncates). */
mopd_status mo_context_tokens(const mopd_encoder *encoder, const mo_context_shape *shape,
    const char *const *classes, size_t n_classes, mo_tokens *tokens, size_t *start);

/* How many vectors `words` give; NULL: `wanted`, MO_CONTEXT_VECTORS when that is 0.  ARG: no token, or another
 * number than wanted. */
mopd_status mo_context_count(const mopd_encoder *encoder, const char *words, size_t wanted, size_t *n);

/* ctx (vectors x W) = the words' embeddings (the same for each class), or normal numbers of deviation
 * 0.02. */
mopd_status mo_context_start(const mopd_encoder *encoder, const mo_context_shape *shape, size_t n_classes,
    const char *words, uint64_t seed, float *ctx);

#endif
