/* SPDX-License-Identifier: MIT
 * fuzz_recognizer.c - bytes as a recogniser; what opens recognises, is judged, and is made anew with other
 * pictures and classes. */
#include "files.h"
#include "fuzz.h"
#include "model.h"
#include "mutate.h"

#include <stdlib.h>

/* Everything that is asked of features: one of them, the first unit vector. */
static void recognise(const mopd_recognizer *r, const float *feature, size_t n_classes)
{
    float *logits = malloc(n_classes * sizeof *logits), score;
    uint8_t *in = malloc(n_classes);
    mopd_match match;
    FUZZ_MUST(logits && in);
    fuzz_good(mopd_recognizer_logits(r, feature, 1, logits));
    fuzz_good(mopd_recognizer_probabilities(r, feature, 1, logits));
    fuzz_good(mopd_recognizer_scores(r, feature, 1, &score));
    fuzz_good(mopd_recognizer_sets(r, feature, 1, 0.9, in));
    if (fuzz_good(mopd_recognizer_top(r, feature, 1, 1, &match))) FUZZ_MUST(match.index < n_classes);
    free(in);
    free(logits);
}

static void judge(const mopd_recognizer *r, size_t n_classes)
{
    mopd_suspect suspects[4];
    size_t n = 4;
    if (fuzz_good(mopd_recognizer_suspects(r, suspects, &n))) {
        FUZZ_MUST(n <= 4);
        for (size_t i = 0; i < n; i++) FUZZ_MUST((size_t)suspects[i].other < n_classes);
    }
    for (size_t c = 0; c < n_classes; c++) FUZZ_MUST(mopd_recognizer_class_name(r, c));
}

static void make_anew(const mopd_recognizer *r, const float *feature)
{
    static const char *const classes[2] = {"cat", "a new one"};
    mopd_recognizer *other[3] = {NULL};
    (void)FUZZ_READ(mopd_recognizer_extend(&other[0], r, feature, &(int32_t){0}, 1, 0), other[0]);
    (void)FUZZ_READ(mopd_recognizer_withdraw(&other[1], r, &(size_t){0}, 1, 0), other[1]);
    (void)FUZZ_READ(mopd_recognizer_with_classes(&other[2], r, fuzz_encoder(), classes, 2), other[2]);
    for (int i = 0; i < 3; i++) mopd_recognizer_close(other[i]);
}

/* What opens can be written, opens again, and is then written as it was. */
static void save(const mopd_recognizer *r)
{
    mopd_recognizer *again = NULL;
    const char *first = fuzz_beside("first"), *second = fuzz_beside("second");
    FUZZ_MUST(mopd_recognizer_save(r, first) == MOPD_OK);
    FUZZ_MUST(mopd_recognizer_open(&again, first, NULL) == MOPD_OK);
    FUZZ_MUST(mopd_recognizer_save(again, second) == MOPD_OK);
    mopd_recognizer_close(again);
    fuzz_same(first, second);
}

static void use(const mopd_recognizer *r)
{
    mopd_recognizer_info info = {.struct_size = sizeof info};
    if (!fuzz_good(mopd_recognizer_get_info(r, &info))) return;
    float *feature = calloc(info.dim, sizeof *feature);
    FUZZ_MUST(feature && info.dim && info.n_classes);
    feature[0] = 1;
    recognise(r, feature, fuzz_size(info.n_classes));
    judge(r, fuzz_size(info.n_classes));
    make_anew(r, feature);
    save(r);
    free(feature);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    mopd_recognizer *r = NULL;
    const char *path = fuzz_file(data, n);
    if (FUZZ_READ(mopd_recognizer_open(&r, path, NULL), r)) use(r);
    mopd_recognizer_close(r);
    fuzz_inspect(path);
}

FUZZ_MUTATES_TENSORS
