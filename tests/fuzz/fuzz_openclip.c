/* SPDX-License-Identifier: MIT
 * fuzz_openclip.c - the files of an open_clip folder; those an input leaves out are those of the small model. */
#include "files.h"
#include "fuzz.h"
#include "mutate.h"
#include "model.h"

static const char *const names[] = {"open_clip_config.json", "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin", "vocab.json", "merges.txt",
    "tokenizer.json", "tokenizer_config.json", "bpe_simple_vocab_16e6.txt.gz", "mopd.json"};
static const fuzz_folder folder = {"openclip", names, sizeof names / sizeof *names};

void fuzz_one(const uint8_t *data, size_t n)
{
    fuzz_model(fuzz_folder_write(&folder, data, n));
}

FUZZ_MUTATES_FOLDER(&folder)
