/* SPDX-License-Identifier: MIT
 * fuzz_bankfile.c - bytes as a bank's file; what opens compares features, and is written and read again. */
#include "files.h"
#include "fuzz.h"
#include "model.h"
#include "mutate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What opens can be written, opens again, and is then written as it was. */
static void save(const mopd_bank *bank)
{
    mopd_bank *again = NULL;
    const char *first = fuzz_beside("first"), *second = fuzz_beside("second");
    FUZZ_MUST(mopd_bank_save(bank, first) == MOPD_OK);
    FUZZ_MUST(mopd_bank_open(&again, first, NULL) == MOPD_OK);
    FUZZ_MUST(mopd_bank_save(again, second) == MOPD_OK);
    mopd_bank_free(again);
    fuzz_same(first, second);
}

static void use(const mopd_bank *bank)
{
    const size_t classes = mopd_bank_n_classes(bank), dim = mopd_bank_dim(bank);
    float *feature = calloc(dim, sizeof *feature);
    mopd_match best;
    FUZZ_MUST(classes && feature && isfinite(mopd_bank_logit_scale(bank)));
    feature[0] = 1;
    if (fuzz_good(mopd_bank_top(bank, feature, 1, 1, &best))) FUZZ_MUST(best.index < classes);
    for (size_t c = 0; c < classes; c++) FUZZ_MUST(*mopd_bank_class_name(bank, c));
    for (size_t m = 0; mopd_bank_template(bank, m); m++) fuzz_touch(mopd_bank_template(bank, m), 1);
    FUZZ_MUST(strlen(mopd_bank_fingerprint(bank)) <= 64);
    free(feature);
    save(bank);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    mopd_bank *bank = NULL;
    const char *path = fuzz_file(data, n);
    if (FUZZ_READ(mopd_bank_open(&bank, path, NULL), bank)) use(bank);
    mopd_bank_free(bank);
    bank = NULL;
    (void)FUZZ_READ(mopd_bank_open(&bank, path, fuzz_encoder()), bank);
    mopd_bank_free(bank);
    fuzz_inspect(path);
}

FUZZ_MUTATES_TENSORS
