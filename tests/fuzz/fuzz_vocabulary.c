/* SPDX-License-Identifier: MIT
 * fuzz_vocabulary.c - bytes as the list of merges that OpenAI's models come with, gzipped or plain. */
#include "files.h"
#include "fuzz.h"
#include "tokens.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_tokenizer *t = NULL;
    if (FUZZ_READ(mo_tokenizer_open_simple(&t, fuzz_file(data, n)), t))
        fuzz_tokens(t, "a photo of a cat, 12!", 21);
    mo_tokenizer_free(t);
}
