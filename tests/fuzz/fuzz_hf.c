/* SPDX-License-Identifier: MIT
 * fuzz_hf.c - the files of a Hugging Face folder; those an input leaves out are those of the small model. */
#include "files.h"
#include "fuzz.h"
#include "mutate.h"
#include "model.h"

static const char *const names[] = {"config.json", "preprocessor_config.json", "processor_config.json",
    "model.safetensors", "model.safetensors.index.json", "shard.safetensors", "pytorch_model.bin",
    "pytorch_model.bin.index.json", "vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "mopd.json"};
static const fuzz_folder folder = {"hf", names, sizeof names / sizeof *names};

void fuzz_one(const uint8_t *data, size_t n)
{
    fuzz_model(fuzz_folder_write(&folder, data, n));
}

FUZZ_MUTATES_FOLDER(&folder)
