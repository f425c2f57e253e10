/* SPDX-License-Identifier: MIT
 * context.c - token sequences of classes with references to context vectors among their tokens. */
#include "prompt/context.h"

#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/rng.h"
#include "prompt/template.h"

#define RANDOM_DEVIATION 0.02
#define PURPOSE UINT64_C(0x636f6e74657874) /* of the random stream: "context" */

const char *const mo_context_positions[MO_CONTEXT_POSITIONS] = {
    [MOPD_CLASS_END] = "end",
    [MOPD_CLASS_MIDDLE] = "middle",
    [MOPD_CLASS_FRONT] = "front",
};

size_t mo_context_vectors(const mo_context_shape *shape, size_t n_classes)
{
    return shape->per_class ? mo_times(shape->n, n_classes) : shape->n;
}

/* Makes room for n more ids. */
static mopd_status room(mo_tokens *tokens, size_t n)
{
    if (tokens->cap - tokens->n >= n) return MOPD_OK;
    size_t cap = 2 * tokens->cap + n + 64;
    uint32_t *id = mo_mem_realloc(tokens->id, cap, sizeof *id);
    if (!id) return MOPD_E_NOMEM;
    tokens->id = id;
    tokens->cap = cap;
    return MOPD_OK;
}

/* Appends the ids of a pattern that is filled with a class name; text is scratch. */
static mopd_status words_of(
    const mopd_encoder *encoder, const char *pattern, const char *name, mo_buf *text, mo_tokens *tokens)
{
    text->size = 0;
    mopd_status st = mo_template_fill(pattern, name, text);
    if (st != MOPD_OK) return st;
    return mo_tokenizer_raw(encoder->tokenizer, text->data, text->size, tokens);
}

/* Moves the ids of tokens from `at` on by n to the back and puts the references first .. first + n - 1 there. */
static void insert_vectors(mo_tokens *tokens, size_t at, size_t first, size_t n)
{
    memmove(tokens->id + at + n, tokens->id + at, (tokens->n - at) * sizeof *tokens->id);
    for (size_t i = 0; i < n; i++) tokens->id[at + i] = MO_TEXT_CTX | (uint32_t)(first + i);
    tokens->n += n;
}

/* Appends the sequence of one class, whose vectors are first .. first + n - 1; text is scratch. */
static mopd_status append_class(const mopd_encoder *encoder, const mo_context_shape *shape, const char *name,
    size_t first, mo_buf *text, mo_tokens *tokens)
{
    const size_t begin = tokens->n, n = shape->n,
                 n_start = mo_tokenizer_has_start(encoder->tokenizer) ? 1 : 0;
    const size_t first_word = begin + n_start, n_ends = n_start + 1;
    size_t n_name = 0;
    mopd_status st;
    if (shape->position != MOPD_CLASS_END) { /* count the name's tokens alone */
        if ((st = words_of(encoder, "{}", name, text, tokens)) != MOPD_OK)
            return mo_fail_at(st, "class \"%s\"", name);
        n_name = tokens->n - begin;
        tokens->n = begin;
    }
    if ((st = room(tokens, 1)) != MOPD_OK) return st;
    if (n_start) tokens->id[tokens->n++] = mo_tokenizer_start(encoder->tokenizer);
    if ((st = words_of(encoder, "{}.", name, text, tokens)) != MOPD_OK)
        return mo_fail_at(st, "class \"%s\"", name);

    size_t limit = encoder->config.text.context, n_words = tokens->n - first_word,
           total = n_words + n + n_ends;
    if (total > limit && (!encoder->truncate || n + n_ends > limit))
        return mo_fail(MOPD_E_ARG,
            "class \"%s\": its prompt has %zu tokens with %zu vectors, the tower takes %zu", name, total, n,
            limit);
    if (total > limit) tokens->n -= total - limit;
    if (n_name > tokens->n - first_word) n_name = tokens->n - first_word;

    if ((st = room(tokens, n + 1)) != MOPD_OK) return st;
    size_t head = shape->position == MOPD_CLASS_MIDDLE ? n / 2 : shape->position == MOPD_CLASS_FRONT ? 0 : n;
    insert_vectors(tokens, first_word, first, head);
    insert_vectors(tokens, first_word + head + n_name, first + head, n - head);
    tokens->id[tokens->n++] = mo_tokenizer_end(encoder->tokenizer);
    return MOPD_OK;
}

mopd_status mo_context_tokens(const mopd_encoder *encoder, const mo_context_shape *shape,
    const char *const *classes, size_t n_classes, mo_tokens *tokens, size_t *start)
{
    mo_buf text = {0};
    mopd_status st = MOPD_OK;
    for (size_t c = 0; c < n_classes && st == MOPD_OK; c++) {
        start[c] = tokens->n;
        st = append_class(encoder, shape, classes[c], shape->per_class ? c * shape->n : 0, &text, tokens);
    }
    start[n_classes] = tokens->n;
    mo_buf_free(&text);
    return st;
}

mopd_status mo_context_count(const mopd_encoder *encoder, const char *words, size_t wanted, size_t *n)
{
    *n = wanted ? wanted : MO_CONTEXT_VECTORS;
    if (!words) return MOPD_OK;
    mo_tokens tokens = {0};
    mopd_status st = mo_tokenizer_raw(encoder->tokenizer, words, strlen(words), &tokens);
    *n = tokens.n;
    mo_mem_free(tokens.id);
    if (st != MOPD_OK) return mo_fail_at(st, "context");
    if (!*n)
        return mo_fail(MOPD_E_ARG, "context \"%s\" has no token; NULL starts from random vectors", words);
    if (wanted && wanted != *n)
        return mo_fail(MOPD_E_ARG,
            "context \"%s\" has %zu tokens, n_context is %zu: give as many words, or none", words, *n,
            wanted);
    return MOPD_OK;
}

mopd_status mo_context_start(const mopd_encoder *encoder, const mo_context_shape *shape, size_t n_classes,
    const char *words, uint64_t seed, float *ctx)
{
    size_t width = mo_text_width(encoder->text), n = mo_context_vectors(shape, n_classes);
    if (!words) {
        mo_rng rng;
        mo_rng_seed(&rng, mo_rng_mix(seed, PURPOSE));
        for (size_t i = 0; i < n * width; i++) ctx[i] = (float)(RANDOM_DEVIATION * mo_rng_normal(&rng));
        return MOPD_OK;
    }
    mo_tokens tokens = {0};
    mopd_status st = mo_tokenizer_raw(encoder->tokenizer, words, strlen(words), &tokens);
    for (size_t j = 0; j < shape->n && st == MOPD_OK; j++)
        st = mo_text_embedding(encoder->text, tokens.id[j], ctx + j * width);
    for (size_t j = shape->n; j < n && st == MOPD_OK; j += shape->n)
        memcpy(ctx + j * width, ctx, shape->n * width * sizeof *ctx);
    mo_mem_free(tokens.id);
    return st;
}
