/* SPDX-License-Identifier: MIT
 * eval_recognizer.c - how right a recogniser is about a data set, and how well it keeps what it promises.
 *
 * It answers with its own classes whatever classes the data has.  Pictures of other classes are strangers: they can
 * only be refused, and count neither as right nor as wrong. */
#include "eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 256, NAMES_SHOWN = 5 };

/* The pictures in two parts: those of classes that are answered, then strangers. */
typedef struct parts {
    float *features; /* n + n_strangers x D */
    int32_t *labels; /* n, among the recogniser's classes */
    size_t n, n_strangers, dim;
    double *score; /* n + n_strangers */
} parts;

/* Each class of the data among the recogniser's, or -1. */
static int32_t *place_classes(const mopd_dataset *data, const cli_list *names)
{
    const size_t n = cli_data_info(data).n_classes;
    int32_t *at = cli_alloc(n, sizeof *at);
    for (size_t c = 0; c < n; c++) {
        at[c] = -1;
        for (size_t k = 0; k < names->n && at[c] < 0; k++)
            if (!strcmp(mopd_dataset_class_name(data, c), names->item[k])) at[c] = (int32_t)k;
    }
    return at;
}

static void split(parts *p, const mopd_dataset *data, const int32_t *at, float *features)
{
    const int32_t *labels = mopd_dataset_labels(data);
    const mopd_dataset_info info = cli_data_info(data);
    const size_t n = (size_t)info.n_items, row = info.dim * sizeof(float);
    float *strangers = cli_alloc(n, row);
    *p = (parts){.features = features, .dim = info.dim, .labels = cli_alloc(n, sizeof *p->labels)};
    for (size_t i = 0; i < n; i++) {
        const int32_t class = at[labels[i]];
        if (class < 0) {
            memcpy(strangers + p->n_strangers++ * info.dim, features + i * info.dim, row);
            continue;
        }
        memmove(features + p->n * info.dim, features + i * info.dim, row);
        p->labels[p->n++] = class;
    }
    memcpy(features + p->n * info.dim, strangers, p->n_strangers * row);
    free(strangers);
}

static mopd_status find_energies(parts *p, const mopd_recognizer *r)
{
    const size_t n = p->n + p->n_strangers;
    float *score = cli_alloc(n, sizeof *score);
    p->score = cli_alloc(n, sizeof *p->score);
    mopd_status st = mopd_recognizer_scores(r, p->features, n, score);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) p->score[i] = (double)score[i];
    free(score);
    return st;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How often a known picture has a higher score than a stranger, equal ones as half. */
static double area_under_roc(double *known, size_t n, double *strangers, size_t n_strangers)
{
    double sum = 0;
    size_t below = 0, up_to = 0;
    qsort(known, n, sizeof *known, ascending);
    qsort(strangers, n_strangers, sizeof *strangers, ascending);
    for (size_t i = 0; i < n; i++) {
        while (below < n_strangers && strangers[below] < known[i]) below++;
        while (up_to < n_strangers && strangers[up_to] <= known[i]) up_to++;
        sum += (double)(below + up_to) / 2;
    }
    return n && n_strangers ? 100 * sum / (double)n / (double)n_strangers : 0;
}

static double share_above(const double *score, size_t n, double cutoff)
{
    size_t above = 0;
    for (size_t i = 0; i < n; i++) above += score[i] >= cutoff;
    return n ? 100 * (double)above / (double)n : 0;
}

static mopd_status count_sets(eval_result *out, const mopd_recognizer *r, const parts *p, double coverage)
{
    const size_t c = out->names.n;
    uint8_t *in = cli_alloc(ROWS_AT_ONCE * c, 1);
    mopd_status st = MOPD_OK;
    size_t hit = 0, size = 0;
    for (size_t i = 0; i < p->n && st == MOPD_OK; i += ROWS_AT_ONCE) {
        const size_t n = p->n - i < ROWS_AT_ONCE ? p->n - i : ROWS_AT_ONCE;
        st = mopd_recognizer_sets(r, p->features + i * p->dim, n, coverage, in);
        for (size_t k = 0; k < n * c && st == MOPD_OK; k++) size += in[k];
        for (size_t k = 0; k < n && st == MOPD_OK; k++) hit += in[k * c + (size_t)p->labels[i + k]];
    }
    free(in);
    out->share = 100 * coverage;
    out->coverage = 100 * (double)hit / (double)p->n;
    out->set_size = (double)size / (double)p->n;
    return st;
}

static mopd_status judge(eval_result *out, const mopd_recognizer *r, parts *p, double coverage)
{
    mopd_recognizer_info info = {.struct_size = sizeof info};
    const cli_samples samples = {p->features, p->labels, p->n, p->dim, out->names.n};
    mopd_status st = mopd_recognizer_get_info(r, &info);
    if (st == MOPD_OK) st = cli_score_run(&out->score, cli_recognizer_logits, r, &samples, NULL);
    if (st == MOPD_OK) st = find_energies(p, r);
    if (st != MOPD_OK) return st;
    out->promises = true;
    out->enough = isfinite(info.cutoff);
    out->keep = 100 * info.keep;
    out->n_strangers = p->n_strangers;
    if (out->enough) {
        out->kept = share_above(p->score, p->n, info.cutoff);
        out->refused = 100 - share_above(p->score + p->n, p->n_strangers, info.cutoff);
        st = count_sets(out, r, p, coverage);
    }
    out->auroc = area_under_roc(p->score, p->n, p->score + p->n, p->n_strangers);
    return st;
}

/* Says which classes of the data are strangers; all of them: a mistake. */
static int tell_strangers(const eval_ask *ask, const mopd_dataset *data, const int32_t *at, const parts *p)
{
    char list[256] = "";
    size_t n = 0, used = 0;
    for (size_t c = 0; c < cli_data_info(data).n_classes; c++) {
        if (at[c] >= 0 || n++ >= NAMES_SHOWN || used >= sizeof list) continue;
        used += (size_t)snprintf(
            list + used, sizeof list - used, "%s%s", n > 1 ? ", " : "", mopd_dataset_class_name(data, c));
    }
    const char *more = n > NAMES_SHOWN ? ", ..." : "";
    if (!p->n)
        return cli_fail("%s: knows none of the classes of the pictures (%s%s): fit it to such pictures, or "
                        "give their names by --also",
            ask->path, list, more);
    if (n)
        cli_note(ask->common,
            "%zu pictures are of %zu classes that %s does not know (%s%s): they count as strangers; --also "
            "adds names",
            p->n_strangers, n, ask->path, list, more);
    return -1;
}

int eval_recognizer(eval_result *result, const eval_ask *ask, const mopd_encoder *encoder,
    const mopd_dataset *data, float *features)
{
    mopd_recognizer *r = NULL;
    parts p = {0};
    *result = (eval_result){0};
    cli_interrupt_ends(true);
    int status = cli_recognizer_open(&r, encoder, ask->path, ask->also);
    cli_interrupt_ends(false);
    if (status >= 0) return status;
    for (size_t c = 0; mopd_recognizer_class_name(r, c); c++)
        cli_list_add(&result->names, mopd_recognizer_class_name(r, c));
    int32_t *at = place_classes(data, &result->names);
    split(&p, data, at, features);
    status = tell_strangers(ask, data, at, &p);
    const mopd_status st = status < 0 ? judge(result, r, &p, ask->coverage) : MOPD_OK;
    if (st != MOPD_OK) status = cli_fail_status(st);
    free(p.labels);
    free(p.score);
    free(at);
    mopd_recognizer_close(r);
    return status;
}
