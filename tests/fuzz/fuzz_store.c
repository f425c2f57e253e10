/* SPDX-License-Identifier: MIT
 * fuzz_store.c - bytes as a feature store; what opens is gone through, cut, narrowed, and its features are read. */
#include "dataset.h"
#include "files.h"
#include "fuzz.h"
#include "model.h"
#include "mutate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void gather(const mopd_dataset *store)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    FUZZ_MUST(mopd_dataset_get_info(store, &info) == MOPD_OK);
    if (!info.n_views) return; /* a list of pictures: mopd_dataset_open tells by the bytes */
    size_t n = fuzz_size(info.n_items * info.n_views * info.dim);
    float *features = malloc(n * sizeof *features);
    FUZZ_MUST(features);
    FUZZ_MUST(mopd_dataset_gather(store, 0, info.n_views, features) == MOPD_OK);
    for (size_t i = 0; i < n; i++) FUZZ_MUST(isfinite(features[i]));
    free(features);
}

/* What opens can be written and opens again. */
static void save(const mopd_dataset *store, const char *beside)
{
    mopd_dataset *again = NULL;
    char path[600];
    snprintf(path, sizeof path, "%s.saved", beside);
    if (!*mopd_dataset_fingerprint(store) || !fuzz_good(mopd_dataset_save(store, path))) return;
    FUZZ_MUST(mopd_dataset_open(&again, path, NULL) == MOPD_OK);
    mopd_dataset_close(again);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    mopd_dataset *store = NULL;
    const char *path = fuzz_file(data, n);
    if (FUZZ_READ(mopd_dataset_open(&store, path, NULL), store)) {
        fuzz_dataset(store);
        gather(store);
        save(store, path);
    }
    mopd_dataset_close(store);
    fuzz_inspect(path);
}

FUZZ_MUTATES_TENSORS
