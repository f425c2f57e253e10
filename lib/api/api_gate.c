/* SPDX-License-Identifier: MIT
 * api_gate.c - include/mopd/gate.h: arguments checked, called down. */
#include "prompt/gate.h"
#include "prompt/promptfile.h"

mopd_status mopd_gate_create(mopd_gate **out, const mopd_prompt *prompt)
{
    if (!out || !prompt) return mo_fail(MOPD_E_ARG, "mopd_gate_create: NULL");
    *out = NULL;
    if (!prompt->gate)
        return mo_fail(
            MOPD_E_STATE, "a prompt of method %s has no gate", mopd_method_name(prompt->info.method));
    size_t dim = prompt->static_gate ? 0 : prompt->info.dim;
    return mo_gate_create(out, prompt->gate, dim, prompt->info.n_templates, prompt->info.top_k);
}

mopd_status mopd_gate_create_weights(
    mopd_gate **out, const float *weights, size_t dim, size_t n_templates, size_t top_k)
{
    if (!out || !weights || !dim) return mo_fail(MOPD_E_ARG, "mopd_gate_create_weights: NULL, or dim 0");
    *out = NULL;
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
    if (!gate || (n && (!features || !indices || !weights)))
        return mo_fail(MOPD_E_ARG, "mopd_gate_select: NULL");
    return n ? mo_gate_select(gate, features, n, indices, weights) : MOPD_OK;
}

mopd_status mopd_gate_use(const mopd_gate *gate, const float *features, size_t n, double *use)
{
    if (!gate || !features || !use || !n) return mo_fail(MOPD_E_ARG, "mopd_gate_use: NULL, or no feature");
    for (size_t m = 0; m < gate->n_templates; m++) use[m] = 0;
    mopd_status st = mo_gate_use(gate, features, n, use);
    for (size_t m = 0; m < gate->n_templates; m++) use[m] /= (double)n;
    return st;
}

void mopd_gate_free(mopd_gate *gate)
{
    mo_gate_free(gate);
}
