/* SPDX-License-Identifier: MIT
 * bench_sets.c - the pictures that bench-new and bench-shots learn from and test on.  Features are encoded once for
 * all methods, seeds and draws. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

int bench_open(bench *b, const char *command)
{
    int status = cli_data_open(&b->all, &b->data, command);
    if (status < 0) status = cli_data_open_encoder(&b->encoder, b->all, &b->common);
    if (status >= 0) return status;
    const mopd_dataset_info info = cli_data_info(b->all);
    if (!b->n_views && info.augmented) b->n_views = info.n_views; /* a store says what there is */
    if (!(info.n_split[0] + info.n_split[1] + info.n_split[2]))
        cli_note(&b->common, "%s has no splits: what is learned from is tested on too", b->data.path);
    return -1;
}

/* A store holds what it holds. */
static bool learns_from_views(const bench *b)
{
    bool any = false;
    for (size_t m = 0; m < b->n_methods; m++) any |= b->method[m] == BENCH_FIT;
    return any && !cli_data_info(b->all).dim;
}

static int encode_into(
    mopd_dataset **out, bench *b, mopd_dataset *part, const mopd_dataset *known, bool learned)
{
    const uint32_t n_views = learned ? (uint32_t)b->n_views : 0;
    mopd_encode_options o;
    mopd_encode_options_init(&o, sizeof o);
    o.n_views = n_views;
    o.seed = b->seed[0];
    if (!n_views && learned && learns_from_views(b)) { /* as mopd fit does */
        o.n_views = MOPD_FIXED_VIEWS;
        o.flags = MOPD_ENCODE_FIXED;
    }
    double start = cli_seconds();
    int status = cli_data_encode(out, part, known, b->encoder, &o, &b->common, &b->data);
    b->encode_seconds += cli_seconds() - start;
    return status;
}

static void set_fill(bench_set *s, mopd_dataset *data, size_t n_views)
{
    mopd_dataset_info info = cli_data_info(data);
    *s = (bench_set){.data = data,
        .features = cli_data_features(data, 0, n_views),
        .n = (size_t)info.n_items,
        .n_views = n_views,
        .n_classes = info.n_classes,
        .classes = mopd_dataset_class_names(data)};
    if (info.fixed) s->fixed = cli_data_features(data, 0, s->n_fixed = info.n_views);
    s->labels = cli_alloc(s->n, sizeof *s->labels);
    memcpy(s->labels, mopd_dataset_labels(data), s->n * sizeof *s->labels);
}

void bench_set_free(bench_set *s)
{
    mopd_dataset_close(s->data);
    free(s->features);
    free(s->fixed);
    free(s->labels);
    free(s->owned);
}

void bench_join(bench_set *out, const bench_set *first, const bench_set *second, size_t dim)
{
    *out = (bench_set){
        .n = first->n + second->n, .n_views = 1, .n_classes = first->n_classes + second->n_classes};
    out->features = cli_alloc(out->n * dim, sizeof *out->features);
    out->labels = cli_alloc(out->n, sizeof *out->labels);
    out->classes = out->owned = cli_alloc(out->n_classes, sizeof *out->owned);
    memcpy(out->features, first->features, first->n * dim * sizeof(float));
    memcpy(out->features + first->n * dim, second->features, second->n * dim * sizeof(float));
    for (size_t i = 0; i < out->n; i++)
        out->labels[i] =
            i < first->n ? first->labels[i] : second->labels[i - first->n] + (int32_t)first->n_classes;
    for (size_t c = 0; c < out->n_classes; c++)
        out->owned[c] = c < first->n_classes ? first->classes[c] : second->classes[c - first->n_classes];
}

static int select_part(mopd_dataset **out, const bench *b, const mopd_selection *wanted)
{
    mopd_selection s;
    mopd_selection_init(&s, sizeof s);
    s.split = wanted->split;
    s.subset = wanted->subset;
    s.shots = wanted->shots;
    s.seed = wanted->seed;
    return cli_data_select(out, b->all, &s);
}

int bench_open_test(bench *b, bench_set *set, int32_t subset)
{
    mopd_dataset *part = NULL, *data = NULL;
    int status = select_part(
        &part, b, &(mopd_selection){.split = MOPD_SPLIT_TEST, .subset = subset, .shots = 0, .seed = 1});
    if (status < 0) status = encode_into(&data, b, part, NULL, false);
    mopd_dataset_close(part);
    if (status < 0) {
        set_fill(set, data, 1);
        b->dim = cli_data_info(data).dim;
    }
    return status;
}

static int select_draw(mopd_dataset **out, const bench *b, int32_t subset, uint64_t shots, uint64_t seed)
{
    return select_part(out, b,
        &(mopd_selection){
            .split = MOPD_SPLIT_TRAIN, .subset = subset, .shots = (uint32_t)shots, .seed = seed});
}

int bench_add_draw(bench *b, int32_t subset, uint64_t shots, uint64_t seed)
{
    mopd_dataset *part = NULL, *joined = NULL;
    int status = select_draw(&part, b, subset, shots, seed);
    if (status < 0) status = encode_into(&joined, b, part, b->train, true);
    mopd_dataset_close(part);
    if (status >= 0) {
        mopd_dataset_close(joined);
        return status;
    }
    mopd_dataset_close(b->train);
    b->train = joined;
    return -1;
}

static const char *path_of(const mopd_dataset *data, size_t i)
{
    mopd_item item = {.struct_size = sizeof item};
    return mopd_dataset_get_item(data, i, &item) == MOPD_OK ? item.path : "";
}

static int pick(bench_set *out, const mopd_dataset *from, const size_t *index, size_t n, size_t n_views)
{
    mopd_dataset *data = NULL;
    mopd_status st = mopd_dataset_pick(&data, from, index, n, MOPD_PICK_RELABEL);
    if (st != MOPD_OK) return cli_fail_status(st);
    set_fill(out, data, n_views);
    return -1;
}

/* Both lists stand in the same order; a picture that --skip-bad left out is passed over. */
int bench_open_draw(const bench *b, int32_t subset, uint64_t shots, uint64_t seed, bench_set *set)
{
    mopd_dataset *part = NULL;
    int status = select_draw(&part, b, subset, shots, seed);
    if (status >= 0) return status;
    size_t n = (size_t)cli_data_info(b->train).n_items, n_part = (size_t)cli_data_info(part).n_items, at = 0,
           found = 0;
    size_t *index = cli_alloc(n, sizeof *index);
    for (size_t i = 0; i < n && at < n_part; i++) {
        for (size_t skip = at; skip < n_part; skip++) {
            if (strcmp(path_of(b->train, i), path_of(part, skip))) continue;
            index[found++] = i;
            at = skip + 1;
            break;
        }
    }
    status = pick(set, b->train, index, found, b->n_views ? (size_t)b->n_views : 1);
    free(index);
    mopd_dataset_close(part);
    return status;
}

int bench_pick_classes(bench_set *out, const bench_set *set, const bool *wanted)
{
    size_t n = 0, *index = cli_alloc(set->n, sizeof *index);
    for (size_t i = 0; i < set->n; i++)
        if (wanted[set->labels[i]]) index[n++] = i;
    int status = pick(out, set->data, index, n, set->n_views);
    free(index);
    return status;
}

void bench_close(bench *b)
{
    mopd_dataset_close(b->train);
    mopd_dataset_close(b->all);
    mopd_encoder_close(b->encoder);
    cli_prompts_free(&b->prompts);
    free(b->teachers);
    free(b->method);
    free(b->seed);
}
