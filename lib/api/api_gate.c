/* SPDX-License-Identifier: MIT
 * api_gate.c - include/mopd/gate.h. */
#include "api/api.h"
#include "prompt/gate.h"
#include "prompt/method.h"
#include "prompt/promptfile.h"

mopd_status mopd_gate_create(mopd_gate **out, const mopd_prompt *prompt)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(prompt);
    if (!prompt->gate)
        return mo_fail(
            MOPD_E_STATE, "a prompt of method %s has no gate", mo_method_name(prompt->info.method));
    size_t dim = prompt->static_gate ? 0 : prompt->info.dim;
    return mo_gate_create(out, prompt->gate, dim, prompt->info.n_templates, prompt->info.top_k);
}

mopd_status mopd_gate_create_weights(
    mopd_gate **out, const float *weights, size_t dim, size_t n_templates, size_t top_k)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(weights);
    MO_API_NEED_SOME(dim);
    MO_API_NEED_ROWS(weights, dim, n_templates);
    return mo_gate_create(out, weights, dim, n_templates, top_k);
}

size_t mopd_gate_n_templates(const mopd_gate *gate)
{
    return gate ? gate->n_templates : 0;
}

size_t mopd_gate_top_k(const mopd_gate *gate)
{
    return gate ? gate->top_k : 0;
}

size_t mopd_gate_dim(const mopd_gate *gate)
{
    return gate ? gate->dim : 0;
}

mopd_status mopd_gate_select(
    const mopd_gate *gate, const float *features, size_t n, uint32_t *indices, float *weights)
{
    MO_API_NEED(gate);
    MO_API_NEED_FEATURES(features, n, gate->dim);
    MO_API_NEED_ROWS(indices, n, gate->top_k);
    MO_API_NEED_ROWS(weights, n, gate->top_k);
    return n ? mo_gate_select(gate, features, n, indices, weights) : MOPD_OK;
}

mopd_status mopd_gate_use(const mopd_gate *gate, const float *features, size_t n, double *use)
{
    MO_API_NEED(gate);
    MO_API_NEED_SOME(n);
    MO_API_NEED_FEATURES(features, n, gate->dim);
    MO_API_NEED(use);
    for (size_t m = 0; m < gate->n_templates; m++) use[m] = 0;
    mopd_status st = mo_gate_use(gate, features, n, use);
    for (size_t m = 0; m < gate->n_templates; m++) use[m] /= (double)n;
    return st;
}

void mopd_gate_free(mopd_gate *gate)
{
    mo_gate_free(gate);
}
