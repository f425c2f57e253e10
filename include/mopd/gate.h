/* SPDX-License-Identifier: MIT
 * gate.h - which hard prompts a learned gate chooses for a picture, and how much each counts.
 *
 * Immutable: any number of threads.  A gate copies what it needs and may outlive its prompt. */
#ifndef MOPD_GATE_H
#define MOPD_GATE_H

#include "prompt.h"

MOPD_BEGIN_DECLS

typedef struct mopd_gate mopd_gate;

/* The gate of a prompt.  STATE: its method learns none.  Free with mopd_gate_free.  Since 0.1. */
MOPD_API mopd_status mopd_gate_create(mopd_gate **out, const mopd_prompt *prompt);

/* A gate from given weights, dim x n_templates, that keeps top_k (copied).  ARG: top_k 0 or above
 * n_templates; NUMERIC: a weight is not finite.  Since 0.1. */
MOPD_API mopd_status mopd_gate_create_weights(
    mopd_gate **out, const float *weights, size_t dim, size_t n_templates, size_t top_k);

/* Templates M, kept K, feature width D (0: the choice does not look at the picture).  Since 0.1. */
MOPD_API size_t mopd_gate_n_templates(const mopd_gate *gate);
MOPD_API size_t mopd_gate_top_k(const mopd_gate *gate);
MOPD_API size_t mopd_gate_dim(const mopd_gate *gate);

/* For each of n features, n x D: indices, n x K, of the templates kept, best score first, ties to the lower
 * index, and weights, n x K: softmax of the kept scores, summing to 1.  Since 0.1. */
MOPD_API mopd_status mopd_gate_select(
    const mopd_gate *gate, const float *features, size_t n, uint32_t *indices, float *weights);

/* use, M: the mean weight of each template over n features (sums to 1).  ARG: n 0.  Since 0.1. */
MOPD_API mopd_status mopd_gate_use(const mopd_gate *gate, const float *features, size_t n, double *use);

/* Frees the gate; takes NULL.  Since 0.1. */
MOPD_API void mopd_gate_free(mopd_gate *gate);

MOPD_END_DECLS

#endif
