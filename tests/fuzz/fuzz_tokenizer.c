/* SPDX-License-Identifier: MIT
 * fuzz_tokenizer.c - a tokenizer's files: tokenizer.json, vocab.json with merges.txt, the gzipped list of
 * merges, and those that name added tokens. */
#include "files.h"
#include "fuzz.h"
#include "mutate.h"

#include <string.h>

#include "tokens.h"

static const char *const names[] = {"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "bpe_simple_vocab_16e6.txt.gz"};
static const fuzz_folder folder = {NULL, names, sizeof names / sizeof *names};

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_tokenizer *t = NULL;
    if (FUZZ_READ(mo_tokenizer_open(&t, fuzz_folder_write(&folder, data, n)), t)) {
        static const char text[] =
            "a photo of A caf\xc3\xa9 <new>, 12 <|endoftext|>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa<|end";
        fuzz_tokens(t, text, sizeof text - 1);
        fuzz_tokenizer(t);
    }
    mo_tokenizer_free(t);
}

FUZZ_MUTATES_FOLDER(&folder)
