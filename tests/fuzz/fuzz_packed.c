/* SPDX-License-Identifier: MIT
 * fuzz_packed.c - bytes as a packed model, in each precision, for which weights may lie as panels of another kind. */
#include "files.h"
#include "fuzz.h"
#include "model.h"
#include "mutate.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    const char *path = fuzz_file(data, n);
    mopd_encoder *encoder = NULL;
    mopd_encoder_options options;
    FUZZ_MUST(mopd_encoder_options_init(&options, sizeof options) == MOPD_OK);
    options.n_threads = 1;
    if (n) (void)FUZZ_READ(mopd_encoder_open_memory(&encoder, data, n, &options), encoder);
    mopd_encoder_close(encoder);
    fuzz_model(path);
    fuzz_model_in(path, MOPD_PRECISION_INT8);
    fuzz_model_in(path, MOPD_PRECISION_BF16);
    fuzz_inspect(path);
}

FUZZ_MUTATES_TENSORS
