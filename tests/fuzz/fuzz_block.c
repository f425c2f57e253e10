/* SPDX-License-Identifier: MIT
 * fuzz_block.c - bytes as the block of tables that a packed model holds its tokenizer in. */
#include "fuzz.h"
#include "mutate.h"

#include <string.h>

#include "tokens.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_tokenizer *t = NULL;
    mo_buf saved = {0};
    if (!FUZZ_READ(mo_tokenizer_load(&t, data, n, "fuzz"), t)) return;
    fuzz_tokens(t, "a photo of A <|endoftext|> caf\xc3\xa9 12 aaaaaaaaaaaaaaaa", 52);
    for (uint32_t i = 0; i < mo_tokenizer_n_ids(t); i++) {
        size_t n_token = 0;
        const char *token = mo_tokenizer_token(t, i, &n_token);
        if (token) fuzz_touch(token, n_token);
    }
    FUZZ_MUST(mo_tokenizer_save(t, &saved) == MOPD_OK);
    FUZZ_MUST(saved.size == n && !memcmp(saved.data, data, n));
    mo_buf_free(&saved);
    mo_tokenizer_free(t);
}

FUZZ_MUTATES_WORDS
