/* SPDX-License-Identifier: MIT
 * fuzz_store.c - bytes as a feature store; what opens is gone through, cut, narrowed, and its features are read. */
#include "dataset.h"
#include "files.h"
#include "fuzz.h"
#include "model.h"

#include <math.h>
#include <stdlib.h>

static void gather(const mopd_dataset *store)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    FUZZ_MUST(mopd_dataset_get_info(store, &info) == MOPD_OK);
    if (!info.n_views) return; /* a list of pictures: mopd_dataset_open tells by the bytes */
    size_t n = info.n_items * info.n_views * info.dim;
    float *features = malloc(n * sizeof *features);
    FUZZ_MUST(features);
    FUZZ_MUST(mopd_dataset_gather(store, 0, info.n_views, features) == MOPD_OK);
    for (size_t i = 0; i < n; i++) FUZZ_MUST(isfinite(features[i]));
    free(features);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    mopd_dataset *store = NULL;
    const char *path = fuzz_file(data, n);
    if (FUZZ_READ(mopd_dataset_open(&store, path, NULL), store)) {
        fuzz_dataset(store);
        gather(store);
    }
    mopd_dataset_close(store);
    fuzz_inspect(path);
}
