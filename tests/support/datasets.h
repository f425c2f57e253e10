/* SPDX-License-Identifier: MIT
 * datasets.h - what the tests of tests/data share: datasets opened, listed and cut, and a made-up tower that
 * encodes their pictures. */
#ifndef MOPD_TESTS_SUPPORT_DATASETS_H
#define MOPD_TESTS_SUPPORT_DATASETS_H

#include "pictures.h"

#include "data/dataset.h"
#include "model/encoder.h"

static inline mopd_dataset *datasets_open(const char *path)
{
    mopd_dataset *d = NULL;
    assert_ok(mopd_dataset_open(&d, path, NULL));
    return d;
}

/* The list of pictures `text` as test_path(name), opened. */
static inline mopd_dataset *datasets_of(const char *name, const char *text)
{
    return datasets_open(test_text(name, text));
}

static inline void datasets_close(mopd_dataset **list, size_t n)
{
    for (size_t i = 0; i < n; i++) mopd_dataset_close(list[i]);
}

static inline mopd_dataset_info datasets_info(const mopd_dataset *d)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    assert_ok(mopd_dataset_get_info(d, &info));
    return info;
}

static inline mopd_item datasets_item(const mopd_dataset *d, size_t i)
{
    mopd_item item = {.struct_size = sizeof item};
    assert_ok(mopd_dataset_get_item(d, i, &item));
    return item;
}

/* "path=class path=class ..." of all items; valid until the next call but one. */
static inline const char *datasets_listing(const mopd_dataset *d)
{
    static char texts[2][8192];
    static int turn;
    char *text = texts[turn ^= 1];
    size_t at = 0;
    text[0] = 0;
    for (size_t i = 0; i < datasets_info(d).n_items; i++)
        at += (size_t)snprintf(text + at, sizeof texts[0] - at, "%s%s=%s", i ? " " : "",
            datasets_item(d, i).path, mopd_dataset_class_name(d, (size_t)mopd_dataset_labels(d)[i]));
    return text;
}

static inline mopd_selection datasets_selection(int32_t split, int32_t subset, uint32_t shots, uint64_t seed)
{
    mopd_selection s;
    assert_ok(mopd_selection_init(&s, sizeof s));
    s.split = split;
    s.subset = subset;
    s.shots = shots;
    s.seed = seed;
    return s;
}

static inline mopd_dataset *datasets_select(
    const mopd_dataset *d, int32_t split, int32_t subset, uint32_t shots, uint64_t seed)
{
    const mopd_selection s = datasets_selection(split, subset, shots, seed);
    mopd_dataset *part = NULL;
    assert_ok(mopd_dataset_select(&part, d, &s));
    return part;
}

/* A list of n_classes classes c00, c01 ... with n pictures to train on and 2 to test with. */
static inline const char *datasets_split_list(const char *name, int n_classes, int n)
{
    static char text[65536];
    size_t at = (size_t)snprintf(text, sizeof text, "path,label,split\n");
    for (int c = 0; c < n_classes; c++)
        for (int i = 0; i < n + 2; i++)
            at += (size_t)snprintf(
                text + at, sizeof text - at, "c%02d-%02d.png,c%02d,%s\n", c, i, c, i < n ? "train" : "test");
    return test_text(name, text);
}

/* Three classes a, b, c of pictures 0.png, 1.png, 2.png, to train on and to test with: 18 in all. */
static inline const char *datasets_pictures(const char *name)
{
    static const char *const splits[] = {"train", "test"};
    char path[64];
    uint32_t seed = 0;
    for (int s = 0; s < 2; s++)
        for (char c = 'a'; c <= 'c'; c++)
            for (int i = 0; i < 3; i++) {
                snprintf(path, sizeof path, "%s/%s/%c/%d.png", name, splits[s], c, i);
                test_png(path, 12, 10, seed++);
            }
    return test_path(name);
}

/* ---- a tower that is some linear map of the pixels ---- */

enum { DATASETS_SIDE = 8, DATASETS_DIM = 6 };

static inline mopd_status datasets_tower_prepare(const mo_vision *v)
{
    (void)v;
    return MOPD_OK;
}

static inline mopd_status datasets_tower_open(void **work, const mo_vision *v, const mo_pool *pool, size_t n)
{
    (void)v, (void)pool, (void)n;
    *work = NULL;
    return MOPD_OK;
}

static inline size_t datasets_tower_bytes(const mo_vision *v, const mo_pool *pool, size_t n)
{
    (void)v, (void)pool;
    return n;
}

static inline void datasets_tower_close(void *work)
{
    (void)work;
}

static inline void datasets_tower_run(void *work, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    enum { EACH = 3 * DATASETS_SIDE * DATASETS_SIDE };
    (void)work, (void)pool;
    for (size_t i = 0; i < n * DATASETS_DIM; i++) {
        const float *p = pixels + i / DATASETS_DIM * EACH;
        out[i] = 0.5f;
        for (size_t k = 0; k < EACH; k++) out[i] += p[k] * (float)((k * (i % DATASETS_DIM + 3)) % 7) * 0.01f;
    }
}

/* An encoder with this tower, not to be closed.  Its fingerprint is 64 times the digit, a or b. */
static inline mopd_encoder *datasets_encoder(char digit)
{
    static mo_vision tower = {.image = DATASETS_SIDE,
        .dim = DATASETS_DIM,
        .chunk = 4,
        .lane = 2,
        .most = 4,
        .prepare = datasets_tower_prepare,
        .bytes = datasets_tower_bytes,
        .open = datasets_tower_open,
        .run = datasets_tower_run,
        .close = datasets_tower_close};
    static mopd_encoder encoders[2];
    mopd_encoder *e = encoders + (digit - 'a');
    memset(e, 0, sizeof *e);
    e->config.dim = DATASETS_DIM;
    e->config.image = DATASETS_SIDE;
    mo_pixels_clip(&e->config.pixels, DATASETS_SIDE);
    e->vision = &tower;
    memset(e->fingerprint, digit, 64);
    return e;
}

/* Options of n augmented views with seed 5; 0: the plain picture. */
static inline mopd_encode_options datasets_views(uint32_t n)
{
    mopd_encode_options o;
    assert_ok(mopd_encode_options_init(&o, sizeof o));
    o.n_views = n;
    o.seed = 5;
    return o;
}

static inline mopd_dataset *datasets_encode(
    const mopd_dataset *d, const mopd_dataset *known, uint32_t n_views)
{
    const mopd_encode_options o = datasets_views(n_views);
    mopd_dataset *out = NULL;
    assert_ok(mopd_dataset_encode(&out, d, known, datasets_encoder('a'), &o));
    return out;
}

/* Both files have the same bytes, and some. */
static inline void datasets_same_bytes(const char *a, const char *b)
{
    static char x[65536], y[65536];
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    assert_non_null(f);
    assert_non_null(g);
    size_t n = fread(x, 1, sizeof x, f), m = fread(y, 1, sizeof y, g);
    fclose(f);
    fclose(g);
    assert_int_equal(n, m);
    assert_in_range(n, 100, sizeof x - 1);
    assert_memory_equal(x, y, n);
}

#endif
