/* SPDX-License-Identifier: MIT
 * fingerprint.c - names a model by its configuration and a sample of its weights.
 *
 *     SHA-256 of: configuration JSON | for each parameter: name, shape, 4 runs of 16 floats, the first and
 * last included
 *
 * Parameters come in the order of params.h and as floats, so layout and storage type (where it loses nothing)
 * do not count.  64 values of each are read: enough to tell models apart, few enough to keep opening quick.
 *
 * The vocabulary has a fingerprint of its own, over what every id means: prompts are learned with it, features
 * of pictures are not. */
#include "model/fingerprint.h"

#include <string.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/sha256.h"
#include "model/config_json.h"

enum { RUN = 16, RUNS = 4 };

static void add_u32(mo_sha256 *sha, uint32_t x)
{
    const unsigned char b[4] = {
        (unsigned char)x, (unsigned char)(x >> 8), (unsigned char)(x >> 16), (unsigned char)(x >> 24)};
    mo_sha256_add(sha, b, sizeof b);
}

static void add_floats(mo_sha256 *sha, const mo_weight *p, size_t first, size_t n)
{
    float x[RUN * RUNS];
    mo_weights_floats(p, first, n, x);
    for (size_t i = 0; i < n; i++) add_u32(sha, mo_bits_of(x[i]));
}

static void add_param(mo_sha256 *sha, const mo_weight *p)
{
    mo_sha256_add(sha, p->name, strlen(p->name) + 1);
    for (int i = 0; i < p->n_dims; i++) add_u32(sha, (uint32_t)p->shape[i]);
    if (p->view.n <= RUN * RUNS) {
        add_floats(sha, p, 0, p->view.n);
        return;
    }
    for (size_t i = 0; i < RUNS; i++) add_floats(sha, p, (p->view.n - RUN) / (RUNS - 1) * i, RUN);
    add_floats(sha, p, p->view.n - RUN, RUN);
}

mopd_status mo_fingerprint_model(char hex[65], const mo_config *config, const mo_weights *weights)
{
    mo_buf json = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &json);
    mo_config_json_write(config, &w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK) {
        mo_sha256 sha;
        mo_sha256_init(&sha);
        mo_sha256_add(&sha, json.data, json.size);
        for (size_t i = 0; i < mo_weights_count(weights); i++) {
            const mo_weight *p = mo_weights_at(weights, i);
            add_param(&sha, p);
            mo_weights_release(weights, p);
        }
        mo_sha256_hex(&sha, hex);
    }
    mo_buf_free(&json);
    return st;
}

void mo_fingerprint_vocabulary(char hex[65], const mo_tokenizer *tokenizer)
{
    mo_sha256 sha;
    mo_sha256_init(&sha);
    size_t n = mo_tokenizer_n_ids(tokenizer);
    add_u32(&sha, (uint32_t)n);
    add_u32(&sha, mo_tokenizer_start(tokenizer));
    add_u32(&sha, mo_tokenizer_end(tokenizer));
    for (size_t i = 0; i < n; i++) {
        size_t n_bytes;
        const char *token = mo_tokenizer_token(tokenizer, (uint32_t)i, &n_bytes);
        add_u32(&sha, (uint32_t)n_bytes);
        if (token) mo_sha256_add(&sha, token, n_bytes);
    }
    mo_sha256_hex(&sha, hex);
}
