/* SPDX-License-Identifier: MIT
 * test_recognizer_file.c - recognisers' files whose header or numbers lie. */
#include <math.h>

#include "mopd/mopd.h"
#include "prompt/recognizer_handle.h"
#include "support/forged.h"
#include "support/tiny.h"

enum { N = TINY_CLASSES * 4 };

static mopd_recognizer *fitted(void)
{
    static float x[N * TINY_DIM];
    static int32_t y[N];
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_recognizer *r = NULL;
    tiny_features(encoder, 4, 1, 3, x, y);
    assert_ok(mopd_recognizer_create(&r, encoder, tiny_classes, TINY_CLASSES, x, y, N, NULL));
    mopd_encoder_close(encoder);
    return r;
}

static void assert_refused(const char *path, mopd_status st, const char *words)
{
    mopd_recognizer *r = NULL;
    assert_fails(mopd_recognizer_open(&r, path, NULL), st, words);
    assert_non_null(strstr(mopd_last_error(), path));
    assert_null(r);
}

static void headers_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *words;
    } bad[] = {
        {"\"mopd.kind\":\"recognizer", "\"mopd.kind\":\"bank", "a bank, not a recogniser"},
        {"\"mopd.kind\"", "\"mopd.kinD\"", "mopd.kind"},
        {"\"mopd.fingerprint\":\"", "\"mopd.fingerprint\":\"0", "its fingerprint is too long"},
        {"\"mopd.format\"", "\"mopd.orientation\":\"up\",\"mopd.format\"",
            "metadata 'mopd.orientation' is 'up', not 'exif'"},
        {"\\\"keep\\\":0", "\\\"keep\\\":7", "keep is 7.95"},
        {"\\\"keep\\\":", "\\\"sure\\\":-1,\\\"keep\\\":", "sure is -1"},
        {"\\\"lambda\\\":", "\\\"lambda\\\":-", "lambda is -"},
        {"\\\"kappa\\\":", "\\\"kappa\\\":-", "kappa is -"},
        {"\\\"scale\\\":", "\\\"skale\\\":", "scale"},
        {"\"mopd.classes\":\"[", "\"mopd.classes\":\"[\\\"more\\\",", "classes are named, text has"},
        {"\"features\":", "\"feathers\":", "features"},
        {"\"shown\":", "\"showm\":", "shown"},
        {"\"I32\"", "\"F32\"", "another shape or type than a recogniser's"},
    };
    mopd_recognizer *r = fitted();
    const char *path = test_path("good.safetensors");
    assert_ok(mopd_recognizer_save(r, path));
    mopd_recognizer_close(r);
    forged whole = forged_read(path);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(forged_header(&whole, "forged", bad[i].from, bad[i].to), MOPD_E_FORMAT, bad[i].words);
    assert_refused(forged_header(&whole, "forged", "\"mopd.format\":\"1", "\"mopd.format\":\"2"),
        MOPD_E_VERSION, "recogniser format 2, known up to 1");
    forged_free(&whole);
}

/* What tells strangers is kept; a file that says nothing of it is of a library that knew energy alone. */
static void the_score_of_a_file_stays(void **state)
{
    (void)state;
    static const double kept[] = {3, 0};
    for (int i = 0; i < 2; i++) {
        mopd_recognizer *r = fitted(), *back = NULL;
        float x[TINY_DIM] = {1}, score[2], z[TINY_CLASSES];
        double sum = 0, most = -INFINITY;
        const char *path = test_path("score.safetensors");
        r->sure = kept[i];
        assert_ok(mopd_recognizer_save(r, path));
        assert_ok(mopd_recognizer_open(&back, path, NULL));
        assert_true(back->sure == kept[i]);
        assert_ok(mopd_recognizer_scores(r, x, 1, &score[0]));
        assert_ok(mopd_recognizer_scores(back, x, 1, &score[1]));
        assert_true(score[0] == score[1]);
        assert_ok(mopd_recognizer_logits(r, x, 1, z));
        for (int c = 0; c < TINY_CLASSES; c++) most = fmax(most, (double)z[c]);
        for (int c = 0; c < TINY_CLASSES; c++) sum += exp((double)z[c] - most);
        assert_true(fabs((double)score[0] - most - (1 - kept[i]) * log(sum)) < 1e-4);
        mopd_recognizer_close(r);
        mopd_recognizer_close(back);
    }
}

/* A handle spoilt once it has judged itself, which saving asks for, is what a file that lies would hold. */
static void numbers_that_lie_are_refused(void **state)
{
    (void)state;
    static const char *const words[] = {"shown 1 is ", "label 0 is 99 of ", "pictures, its count says ",
        "\"features\" has a number that is not finite"};
    for (int what = 0; what < 4; what++) {
        mopd_recognizer *r = fitted();
        const char *path = test_path("spoilt.safetensors");
        assert_ok(mopd_recognizer_save(r, path));
        if (what == 0) r->shown[1] = r->shown[0];
        if (what == 1) r->labels[0] = 99;
        if (what == 2) r->sums.count[2] += 1;
        if (what == 3) r->features[3] = NAN;
        assert_ok(mopd_recognizer_save(r, path));
        mopd_recognizer_close(r);
        assert_refused(path, MOPD_E_FORMAT, words[what]);
    }
}

/* Of no picture: nothing in the file is as large as they say. */
static void more_views_than_can_be_made_are_refused(void **state)
{
    (void)state;
    const char *const folder = MOPD_TEST_DIR "/fuzz/corpus/recognizer/", *const shape = "its shape overflows";
    const char *const views = "268435456 views of each picture, at most 65536 are possible";
    char path[1024];
    snprintf(path, sizeof path, "%scrash-views-of-no-picture", folder);
    assert_refused(path, MOPD_E_FORMAT, shape);
    snprintf(path, sizeof path, "%scrash-views-too-many", folder); /* 2^32 bytes a picture */
    assert_refused(path, MOPD_E_FORMAT, sizeof(size_t) > 4 ? views : shape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_that_lie_are_refused),
        cmocka_unit_test(the_score_of_a_file_stays),
        cmocka_unit_test(numbers_that_lie_are_refused),
        cmocka_unit_test(more_views_than_can_be_made_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
