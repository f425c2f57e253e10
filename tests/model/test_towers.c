/* SPDX-License-Identifier: MIT
 * test_towers.c - encoders of the same files have one pair of towers, others have their own. */
#include "test.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/encoder.h"
#include "support/needs.h"
#include "support/tiny.h"

static mopd_encoder *opened(const char *path, uint32_t flags, int32_t precision)
{
    mopd_encoder *e;
    mopd_encoder_options o;
    assert_ok(mopd_encoder_options_init(&o, sizeof o));
    o.n_threads = 1;
    o.flags = flags;
    o.precision = precision;
    assert_ok(mopd_encoder_open(&e, path, &o));
    return e;
}

static void feature_of(const mopd_encoder *e, float feature[TINY_DIM])
{
    const char *text = "a photo of a cat";
    assert_ok(mopd_encoder_encode_texts(e, &text, 1, feature));
}

static void the_same_files_are_packed_once(void **state)
{
    (void)state;
    const char *path = tiny_model(1);
    float a[TINY_DIM], b[TINY_DIM];
    mopd_encoder *one = opened(path, 0, MOPD_PRECISION_F32), *two = opened(path, 0, MOPD_PRECISION_F32);
    assert_ptr_equal(one->vision, two->vision);
    assert_ptr_equal(one->text, two->text);
    assert_ptr_not_equal(one->pool, two->pool);
    feature_of(one, a);
    mopd_encoder_close(one);
    feature_of(two, b);
    assert_memory_equal(a, b, sizeof a);
    assert_string_equal(mopd_encoder_fingerprint(two), two->core->towers->fingerprint);
    mopd_encoder_close(two);
}

static void what_differs_is_packed_apart(void **state)
{
    (void)state;
    const char *path = tiny_model(1);
    mopd_encoder *one = opened(path, 0, MOPD_PRECISION_F32),
                 *others[] = {opened(path, MOPD_OPEN_READ, MOPD_PRECISION_F32),
                     opened(path, 0, MOPD_PRECISION_BF16), opened(tiny_model(2), 0, MOPD_PRECISION_F32)};
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_not_equal(one->text, others[i]->text);
        for (size_t k = 0; k < i; k++) assert_ptr_not_equal(others[k]->text, others[i]->text);
    }
    for (size_t i = 0; i < 3; i++) mopd_encoder_close(others[i]);
    mopd_encoder_close(one);
}

/* Bytes of the caller may change when its encoder is closed. */
static void models_in_memory_are_apart(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("packed.safetensors"));
    mopd_encoder *e = opened(tiny_model(1), 0, MOPD_PRECISION_F32), *one, *two;
    assert_ok(mopd_encoder_pack(e, path, MOPD_DTYPE_F32));
    mopd_encoder_close(e);
    struct stat info;
    FILE *file = fopen(path, "rb");
    assert_true(file && !stat(path, &info));
    char *bytes = malloc((size_t)info.st_size);
    assert_true(bytes && fread(bytes, 1, (size_t)info.st_size, file) == (size_t)info.st_size);
    fclose(file);
    assert_ok(mopd_encoder_open_memory(&one, bytes, (size_t)info.st_size, NULL));
    assert_ok(mopd_encoder_open_memory(&two, bytes, (size_t)info.st_size, NULL));
    assert_ptr_not_equal(one->text, two->text);
    mopd_encoder_close(one);
    mopd_encoder_close(two);
    free(bytes);
}

/* A model that was replaced under the same name is another file. */
static void a_replaced_file_is_packed_apart(void **state)
{
    (void)state;
    char path[512], other[512];
    float a[TINY_DIM], b[TINY_DIM];
    snprintf(path, sizeof path, "%s", test_path("same.safetensors"));
    snprintf(other, sizeof other, "%s", test_path("other.safetensors"));
    for (uint32_t seed = 1; seed <= 2; seed++) {
        mopd_encoder *e = opened(tiny_model(seed), 0, MOPD_PRECISION_F32);
        assert_ok(mopd_encoder_pack(e, seed == 1 ? path : other, MOPD_DTYPE_F32));
        mopd_encoder_close(e);
    }
    mopd_encoder *before = opened(path, 0, MOPD_PRECISION_F32);
    assert_int_equal(rename(other, path), 0);
    mopd_encoder *after = opened(path, 0, MOPD_PRECISION_F32);
    assert_ptr_not_equal(before->text, after->text);
    feature_of(before, a);
    feature_of(after, b);
    assert_memory_not_equal(a, b, sizeof a);
    mopd_encoder_close(before);
    mopd_encoder_close(after);
}

static void *open_and_close(void *path)
{
    float feature[TINY_DIM];
    for (int i = 0; i < 5; i++) {
        mopd_encoder *e = opened(path, 0, MOPD_PRECISION_F32);
        feature_of(e, feature);
        mopd_encoder_close(e);
    }
    return NULL;
}

static void threads_open_and_close_at_once(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    char path[512];
    pthread_t thread[4];
    snprintf(path, sizeof path, "%s", tiny_model(1));
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, open_and_close, path), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_files_are_packed_once),
        cmocka_unit_test(what_differs_is_packed_apart),
        cmocka_unit_test(models_in_memory_are_apart),
        cmocka_unit_test(a_replaced_file_is_packed_apart),
        cmocka_unit_test(threads_open_and_close_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
