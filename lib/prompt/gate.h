/* SPDX-License-Identifier: MIT
 * gate.h - which teachers a picture gets (docs/method.md 3.3).
 *
 *     h = G^T f;  J = the K largest of h, ties to the lowest index;  alpha_j = exp(h_j) / sum over J of
 * exp(h) */
#ifndef MO_PROMPT_GATE_H
#define MO_PROMPT_GATE_H

#include "base/mem.h"
#include "mopd/gate.h"

struct mopd_gate {
    size_t dim, n_templates, top_k; /* D (0: static scores), M, K */
    float *weight;                  /* D x M, or M scores */
};

/* scores, n x M = features (n x D) . weight (D x M); static scores (dim 0) are repeated. */
void mo_gate_scores(
    const float *weight, size_t dim, size_t n_templates, const float *features, size_t n, float *scores);

/* kept, K, of M scores, best first; alpha, K.  A NaN counts as lowest. */
void mo_gate_pick(const float *scores, size_t n_templates, size_t top_k, uint32_t *kept, double *alpha);

/* dim 0: M static scores.  As mopd_gate_create_weights. */
mopd_status mo_gate_create(
    mopd_gate **out, const float *weight, size_t dim, size_t n_templates, size_t top_k);
void mo_gate_free(mopd_gate *gate);
mopd_status mo_gate_select(
    const mopd_gate *gate, const float *features, size_t n, uint32_t *indices, float *weights);

/* use, M: sums of alpha over n features, added. */
mopd_status mo_gate_use(const mopd_gate *gate, const float *features, size_t n, double *use);

#endif
