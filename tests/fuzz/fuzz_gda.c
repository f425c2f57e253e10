/* SPDX-License-Identifier: MIT
 * fuzz_gda.c - bytes as a Gaussian head's file; what opens answers, meets new classes, and is written and read again. */
#include "files.h"
#include "fuzz.h"
#include "model.h"
#include "mutate.h"

#include <math.h>
#include <stdlib.h>

/* What opens can be written, opens again, and is then written as it was. */
static void save(const mopd_gda *gda)
{
    mopd_gda *again = NULL;
    const char *first = fuzz_beside("first"), *second = fuzz_beside("second");
    FUZZ_MUST(mopd_gda_save(gda, first) == MOPD_OK);
    FUZZ_MUST(mopd_gda_open(&again, first, NULL) == MOPD_OK);
    FUZZ_MUST(mopd_gda_save(again, second) == MOPD_OK);
    mopd_gda_free(again);
    fuzz_same(first, second);
}

static void use(const mopd_gda *gda)
{
    const size_t classes = mopd_gda_n_classes(gda), dim = mopd_gda_dim(gda);
    float *feature = calloc(dim, sizeof *feature), *logits = calloc(classes, sizeof *logits);
    FUZZ_MUST(classes && feature && logits && mopd_gda_temperature(gda) > 0 && mopd_gda_alpha(gda) >= 0);
    feature[0] = 1;
    FUZZ_MUST(mopd_gda_logits(gda, feature, 1, logits) == MOPD_OK);
    FUZZ_MUST(mopd_gda_probabilities(gda, feature, 1, logits) == MOPD_OK);
    for (size_t c = 0; c < classes; c++) FUZZ_MUST(*mopd_gda_class_name(gda, c));
    free(logits);
    const char *name = mopd_gda_class_name(gda, 0);
    mopd_bank *bank = NULL;
    mopd_gda *more = NULL;
    if (dim < 64 && fuzz_good(mopd_bank_create_features(&bank, &name, 1, feature, dim, 5)) &&
        fuzz_good(mopd_gda_create_classes(&more, gda, bank)))
        FUZZ_MUST(mopd_gda_n_classes(more) == 1);
    mopd_gda_free(more);
    mopd_bank_free(bank);
    free(feature);
    save(gda);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    mopd_gda *gda = NULL;
    const char *path = fuzz_file(data, n);
    if (FUZZ_READ(mopd_gda_open(&gda, path, NULL), gda)) use(gda);
    mopd_gda_free(gda);
    gda = NULL;
    (void)FUZZ_READ(mopd_gda_open(&gda, path, fuzz_encoder()), gda);
    mopd_gda_free(gda);
    fuzz_inspect(path);
}

FUZZ_MUTATES_TENSORS
