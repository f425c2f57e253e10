/* SPDX-License-Identifier: MIT
 * fuzz_locked.c - the files of a locked-tower folder; those an input leaves out are those of the small model. */
#include "files.h"
#include "fuzz.h"
#include "mutate.h"
#include "model.h"

static const char *const names[] = {"text_config.json", "text.safetensors", "projection.safetensors",
    "efficientnet-lite0.pth", "vocab.json", "merges.txt", "tokenizer_config.json", "mopd.json"};
static const fuzz_folder folder = {"locked", names, sizeof names / sizeof *names};

void fuzz_one(const uint8_t *data, size_t n)
{
    fuzz_model(fuzz_folder_write(&folder, data, n));
}

FUZZ_MUTATES_FOLDER(&folder)
