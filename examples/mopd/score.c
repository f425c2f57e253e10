/* SPDX-License-Identifier: MIT
 * score.c - predictions of banks, heads and recognisers counted. */
#include <stdlib.h>
#include <string.h>

#include "data.h"

enum { ROWS_AT_ONCE = 256 };

mopd_status cli_bank_logits(const void *bank, const float *features, size_t n, float *logits)
{
    return mopd_bank_logits(bank, features, n, logits);
}

mopd_status cli_gda_logits(const void *gda, const float *features, size_t n, float *logits)
{
    mopd_status st = mopd_gda_logits(gda, features, n, logits);
    const size_t all = n * mopd_gda_n_classes(gda);
    for (size_t i = 0; i < all && st == MOPD_OK; i++) logits[i] /= mopd_gda_temperature(gda);
    return st;
}

mopd_status cli_recognizer_logits(const void *recognizer, const float *features, size_t n, float *logits)
{
    return mopd_recognizer_logits(recognizer, features, n, logits);
}

int cli_recognizer_open(
    mopd_recognizer **out, const mopd_encoder *encoder, const char *path, const char *also)
{
    mopd_recognizer *r;
    mopd_status st = mopd_recognizer_open(&r, path, encoder);
    if (st != MOPD_OK) return cli_fail_status(st);
    if (!also) {
        *out = r;
        return -1;
    }
    cli_list names = {0};
    for (size_t c = 0; mopd_recognizer_class_name(r, c); c++)
        cli_list_add(&names, mopd_recognizer_class_name(r, c));
    cli_list_split(&names, also);
    st = mopd_recognizer_with_classes(out, r, encoder, (const char *const *)names.item, names.n);
    cli_list_free(&names);
    mopd_recognizer_close(r);
    if (st == MOPD_E_ARG) return cli_fail("--also: %s", mopd_last_error());
    return st == MOPD_OK ? -1 : cli_fail_status(st);
}

void cli_recognizer_reading(cli_common *common, const char *path)
{
    mopd_recognizer *r;
    mopd_recognizer_info info = {.struct_size = sizeof info};
    if (!path || mopd_recognizer_open(&r, path, NULL) != MOPD_OK)
        return; /* told when it is opened to be used */
    if (mopd_recognizer_get_info(r, &info) == MOPD_OK) {
        common->usual = info.upright ? "exif" : "ignore";
        if (info.scaled16 && strcmp(common->grey16, "scale") != 0)
            cli_note(common, "%s: 16-bit grey was scaled for it: --grey16 scale reads pictures so", path);
    }
    mopd_recognizer_close(r);
}

static int32_t largest(const float *row, size_t n)
{
    size_t best = 0;
    for (size_t c = 1; c < n; c++) best = row[c] > row[best] ? c : best;
    return (int32_t)best;
}

mopd_status cli_score_run(cli_score *score, cli_logits_fn logits, const void *context,
    const cli_samples *samples, int32_t *predicted)
{
    size_t c = samples->n_classes;
    float *block = cli_alloc(ROWS_AT_ONCE * c, sizeof *block);
    double sums[MOPD_CALIBRATION_SUMS] = {0};
    *score = (cli_score){.n_classes = c, .metrics.struct_size = sizeof score->metrics};
    score->confusion = cli_alloc(c * c, sizeof *score->confusion);
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < samples->n && st == MOPD_OK; i += ROWS_AT_ONCE) {
        size_t n = samples->n - i < ROWS_AT_ONCE ? samples->n - i : ROWS_AT_ONCE;
        st = logits(context, samples->features + i * samples->dim, n, block);
        if (st == MOPD_OK) st = mopd_confusion_add(score->confusion, c, block, samples->labels + i, n);
        if (st == MOPD_OK) st = mopd_calibration_add(sums, c, block, samples->labels + i, n);
        for (size_t k = 0; st == MOPD_OK && predicted && k < n; k++)
            predicted[i + k] = largest(block + k * c, c);
    }
    free(block);
    score->ece = mopd_calibration_ece(sums);
    score->nll = mopd_calibration_nll(sums);
    return st == MOPD_OK ? mopd_confusion_get_metrics(score->confusion, c, &score->metrics) : st;
}

uint64_t cli_score_class(const cli_score *score, size_t c, uint64_t *correct)
{
    const uint32_t *row = score->confusion + c * score->n_classes;
    uint64_t n = 0;
    for (size_t k = 0; k < score->n_classes; k++) n += row[k];
    *correct = row[c];
    return n;
}

void cli_score_free(cli_score *score)
{
    free(score->confusion);
    score->confusion = NULL;
}

static int compare_pairs(const void *a, const void *b)
{
    const cli_pair *x = a, *y = b;
    if (x->n != y->n) return x->n > y->n ? -1 : 1;
    if (x->is != y->is) return x->is < y->is ? -1 : 1;
    return (x->said > y->said) - (x->said < y->said);
}

cli_pair *cli_score_pairs(const cli_score *score, size_t most, size_t *n)
{
    size_t c = score->n_classes, n_all = 0;
    for (size_t i = 0; i < c * c; i++) n_all += i / c != i % c && score->confusion[i];
    cli_pair *pair = cli_alloc(n_all, sizeof *pair);
    size_t at = 0;
    for (size_t i = 0; i < c * c; i++) {
        if (i / c != i % c && score->confusion[i]) pair[at++] = (cli_pair){i / c, i % c, score->confusion[i]};
    }
    qsort(pair, n_all, sizeof *pair, compare_pairs);
    *n = n_all < most ? n_all : most;
    return pair;
}
