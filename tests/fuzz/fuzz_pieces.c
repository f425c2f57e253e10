/* SPDX-License-Identifier: MIT
 * fuzz_pieces.c - a tokenizer.json of SentencePiece's kind, with the configuration beside it. */
#include "files.h"
#include "fuzz.h"
#include "mutate.h"
#include "tokens.h"

static const char *const names[] = {"tokenizer.json", "tokenizer_config.json"};
static const fuzz_folder folder = {NULL, names, sizeof names / sizeof *names};

void fuzz_one(const uint8_t *data, size_t n)
{
    static const char text[] = "a photo</s> of\xe2\x96\x81 A  cat \xc3\xa9\xef\xbd\x85\xcc\x81 <eos> \n<";
    mo_tokenizer *t = NULL;
    if (FUZZ_READ(mo_tokenizer_open(&t, fuzz_folder_write(&folder, data, n)), t)) {
        fuzz_tokens(t, text, sizeof text - 1);
        fuzz_tokenizer(t);
    }
    mo_tokenizer_free(t);
}

FUZZ_MUTATES_FOLDER(&folder)
