/* SPDX-License-Identifier: MIT
 * tokens.c - what must hold of a tokenizer that an input made, and of a text. */
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "fuzz.h"

#define SHORT 7 /* a limit that most texts pass */

static void check_ids(const mo_tokenizer *t, const mo_tokens *tokens)
{
    for (size_t i = 0; i < tokens->n; i++) FUZZ_MUST(tokens->id[i] < mo_tokenizer_n_ids(t));
}

/* text: a block that is exactly n bytes long. */
static void encode(const mo_tokenizer *t, const char *text, size_t n)
{
    mo_tokens tokens = {0};
    bool good = fuzz_good(mo_tokenizer_raw(t, text, n, &tokens));
    size_t n_raw = tokens.n;
    FUZZ_MUST(good ? mo_utf8_valid(text, n) : !n_raw);
    check_ids(t, &tokens);
    const bool ended = (n_raw ? tokens.id[n_raw - 1] : mo_tokenizer_start(t)) == mo_tokenizer_end(t);
    tokens.n = 0;
    FUZZ_MUST(fuzz_good(mo_tokenizer_encode(t, text, n, 0, false, &tokens)) == good);
    check_ids(t, &tokens);
    size_t n_whole = tokens.n, n_start = mo_tokenizer_has_start(t) ? 1 : 0,
           want = n_whole < SHORT ? n_whole : SHORT;
    /* One kind does not repeat an end that is there. */
    if (good) FUZZ_MUST(n_whole == n_raw + n_start + 1 || (ended && n_whole == n_raw + n_start));
    tokens.n = 0;
    FUZZ_MUST(fuzz_good(mo_tokenizer_encode(t, text, n, SHORT, true, &tokens)) == good);
    if (good) FUZZ_MUST(tokens.id[tokens.n - 1] == mo_tokenizer_end(t));
    if (good) FUZZ_MUST(tokens.n == want || tokens.n == want - 1);
    tokens.n = 0;
    bool fits = fuzz_good(mo_tokenizer_encode(t, text, n, SHORT, false, &tokens));
    FUZZ_MUST(fits == (good && n_whole <= SHORT));
    mo_mem_free(tokens.id);
}

void fuzz_tokens(const mo_tokenizer *t, const char *text, size_t n)
{
    char *exact = malloc(n ? n : 1);
    FUZZ_MUST(exact);
    if (n) memcpy(exact, text, n);
    encode(t, exact, n);
    free(exact);
}

void fuzz_tokenizer(const mo_tokenizer *t)
{
    mo_tokenizer *again = NULL;
    mo_buf saved = {0}, twice = {0};
    for (uint32_t i = 0; i < mo_tokenizer_n_ids(t); i++) {
        size_t n = 0;
        const char *token = mo_tokenizer_token(t, i, &n);
        if (token) fuzz_touch(token, n);
    }
    FUZZ_MUST(mo_tokenizer_save(t, &saved) == MOPD_OK);
    FUZZ_MUST(mo_tokenizer_load(&again, saved.data, saved.size, "saved") == MOPD_OK);
    FUZZ_MUST(mo_tokenizer_save(again, &twice) == MOPD_OK);
    FUZZ_MUST(saved.size == twice.size && !memcmp(saved.data, twice.data, saved.size));
    mo_tokenizer_free(again);
    mo_buf_free(&twice);
    mo_buf_free(&saved);
}
