/* SPDX-License-Identifier: MIT
 * test_recognizer_life.c - a recogniser's whole life with each allocation failing in turn. */
#include "test.h"

#include "mopd/mopd.h"
#include "support/tiny.h"

enum { N = TINY_CLASSES * 4 };

static float x[N * TINY_DIM];
static int32_t y[N], pairs[N / 2];

static mopd_status use(const mopd_encoder *encoder, const char *path)
{
    mopd_recognizer *r = NULL, *more = NULL, *other = NULL, *back = NULL;
    mopd_recognizer_info i = {.struct_size = sizeof i};
    const char *const names[] = {tiny_classes[1], "new"};
    mopd_match best[2];
    float p[N * TINY_CLASSES];
    double share;
    mopd_suspect suspects[4];
    size_t n = 4;
    mopd_status st = mopd_recognizer_create(&r, encoder, tiny_classes, TINY_CLASSES, x, y, N - 3, NULL);
    if (st == MOPD_OK) st = mopd_recognizer_extend(&more, r, x + (N - 3) * TINY_DIM, y + N - 3, 3, 0);
    if (st == MOPD_OK) st = mopd_recognizer_with_classes(&other, more, encoder, names, 2);
    if (st == MOPD_OK) st = mopd_recognizer_save(other, path);
    if (st == MOPD_OK) st = mopd_recognizer_open(&back, path, encoder);
    if (st == MOPD_OK) st = mopd_recognizer_get_info(back, &i);
    if (st == MOPD_OK) st = mopd_recognizer_top(back, x, 1, 2, best);
    if (st == MOPD_OK) st = mopd_recognizer_suspects(more, suspects, &n);
    if (st == MOPD_OK) st = mopd_recognizer_left_out(more, p);
    if (st == MOPD_OK) st = mopd_recognizer_alarms(more, 0.1, &share);
    if (st == MOPD_OK) st = mopd_recognizer_more(more, &share, &share);
    mopd_recognizer_close(r);
    mopd_recognizer_close(more);
    mopd_recognizer_close(other);
    mopd_recognizer_close(back);
    return st;
}

/* Of two views a picture: those before are the same rows, read in pairs. */
static mopd_status use_views(const mopd_encoder *encoder, const char *path)
{
    mopd_recognizer *r = NULL, *more = NULL, *fewer = NULL, *back = NULL;
    mopd_recognizer_info i = {.struct_size = sizeof i};
    mopd_recognizer_options o;
    const size_t gone[] = {1};
    double share;
    mopd_status st = mopd_recognizer_options_init(&o, sizeof o);
    o.n_views = 2;
    o.view_weight = 2;
    if (st == MOPD_OK)
        st = mopd_recognizer_create(&r, encoder, tiny_classes, TINY_CLASSES, x, pairs, N / 2 - 1, &o);
    if (st == MOPD_OK)
        st = mopd_recognizer_extend_views(
            &more, r, x + (N - 2) * TINY_DIM, 2, pairs + N / 2 - 1, 1, MOPD_RECOGNIZER_CHOOSE);
    if (st == MOPD_OK) st = mopd_recognizer_withdraw(&fewer, r, gone, 1, 0);
    if (st == MOPD_OK) st = mopd_recognizer_save(fewer, path);
    if (st == MOPD_OK) st = mopd_recognizer_open(&back, path, encoder);
    if (st == MOPD_OK) st = mopd_recognizer_get_info(back, &i);
    if (st == MOPD_OK && N / 2 / TINY_CLASSES >= 4) st = mopd_recognizer_more(r, &share, &share);
    mopd_recognizer_close(r);
    mopd_recognizer_close(more);
    mopd_recognizer_close(fewer);
    mopd_recognizer_close(back);
    return st;
}

static mopd_status open_and_use(void *ctx)
{
    const char *const *paths = ctx;
    mopd_encoder *encoder = NULL;
    mopd_status st = mopd_encoder_open(&encoder, paths[0], NULL);
    if (st == MOPD_OK) st = use(encoder, paths[1]);
    if (st == MOPD_OK) st = use_views(encoder, paths[1]);
    mopd_encoder_close(encoder);
    return st;
}

static void a_life_survives_lack_of_memory(void **state)
{
    (void)state;
    mopd_encoder *encoder = tiny_open(1, 1);
    tiny_features(encoder, 4, 1, 3, x, y);
    mopd_encoder_close(encoder);
    for (size_t i = 0; i < N / 2; i++) pairs[i] = y[2 * i];
    const char *paths[2] = {tiny_model(1), test_path("life.safetensors")};
    test_torture(open_and_use, paths);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_life_survives_lack_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
