/* SPDX-License-Identifier: MIT
 * gate.h - which hard prompts a learned gate chooses for a picture, and how much each counts.
 *
 * Immutable: any number of threads.  A gate copies what it needs and may outlive its prompt. */
#ifndef MOPD_GATE_H
#define MOPD_GATE_H

#include "prompt.h"

MOPD_BEGIN_DECLS

typedef struct mopd_gate mopd_gate;

/* The gate that a prompt was learned with, copied: for seeing which teachers a picture gets.  Classifying
 * needs no gate.  STATE: its method learns none (CoOp and the like).  Free with mopd_gate_free.  Any
 * thread.  Since 0.1. */
MOPD_API mopd_status mopd_gate_create(mopd_gate **out, const mopd_prompt *prompt);

/* A gate from given weights, dim x n_templates in rows of n_templates, that keeps top_k templates; copied.  For gates
 * that were learned by another program.  ARG: top_k 0 or above n_templates, a size of 0; NUMERIC: a weight is not
 * finite.  Free with mopd_gate_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_gate_create_weights(
    mopd_gate **out, const float *weights, size_t dim, size_t n_templates, size_t top_k);

/* Templates M, how many of them are kept for a picture, K, and the feature width D, which is 0 where the choice
 * does not look at the picture (mopd-static).  0 for NULL.  Any thread.  Since 0.1. */
MOPD_API size_t mopd_gate_n_templates(const mopd_gate *gate);
MOPD_API size_t mopd_gate_top_k(const mopd_gate *gate);
MOPD_API size_t mopd_gate_dim(const mopd_gate *gate);

/* For each of n features, n x D, rows of length 1: indices, n x K, of the templates kept, best score first,
 * ties to the lower index, and weights, n x K: the softmax of the kept scores, summing to 1.  Both are the
 * caller's.  docs/method.md 3.3.  NUMERIC: a feature is not finite, or longer than 1e6; ARG: n is beyond all memory.
 * Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_gate_select(
    const mopd_gate *gate, const float *features, size_t n, uint32_t *indices, float *weights);

/* use, M doubles of the caller: the mean weight of each template over n features, summing to 1.  A gate that
 * has learned nothing uses few of them or all alike; mopd inspect shows what training saw.  ARG: n 0; other
 * errors as above.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_gate_use(const mopd_gate *gate, const float *features, size_t n, double *use);

/* Frees the gate; takes NULL.  No call with it may be running.  Since 0.1. */
MOPD_API void mopd_gate_free(mopd_gate *gate);

MOPD_END_DECLS

#endif
