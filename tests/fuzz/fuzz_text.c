/* SPDX-License-Identifier: MIT
 * fuzz_text.c - bytes as a text for tokenizers of three kinds: of a model folder, with added tokens, of OpenAI; the
 * last one as it is and cleaned. */
#include "files.h"
#include "fuzz.h"
#include "tokens.h"

#include <stdlib.h>

static mo_tokenizer *plain, *added, *simple;

static void close_all(void)
{
    mo_tokenizer_free(plain);
    mo_tokenizer_free(added);
    mo_tokenizer_free(simple);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    if (!simple) {
        FUZZ_MUST(mo_tokenizer_open(&plain, fuzz_base("hf")) == MOPD_OK);
        FUZZ_MUST(mo_tokenizer_open(&added, fuzz_base("../../gold/tokens/added")) == MOPD_OK);
        FUZZ_MUST(
            mo_tokenizer_open_simple(&simple, fuzz_base("openai/bpe_simple_vocab_16e6.txt.gz")) == MOPD_OK);
        FUZZ_MUST(!atexit(close_all));
    }
    fuzz_tokens(plain, (const char *)data, n);
    fuzz_tokens(added, (const char *)data, n);
    for (int i = MO_CLEANING_TRANSFORMERS; i <= MO_CLEANING_APOSTROPHES; i++) {
        mo_tokenizer_set_cleaning(simple, (mo_cleaning)i);
        fuzz_tokens(simple, (const char *)data, n);
    }
}
