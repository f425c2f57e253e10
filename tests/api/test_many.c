/* SPDX-License-Identifier: MIT
 * test_many.c - many encoders in one process, through the shared library: of different models, threads, arithmetic and
 * ways to read, two open at a time.  Each answers as if it were alone, and the last leaves nothing behind. */
#include <dirent.h>

#include "support/tiny.h"
#include "test.h"

#define GOLD MOPD_TEST_DIR "/gold/towers/"

enum { MODELS = 4, ROUNDS = 24, DIM = 12 };

static const char *const text[] = {"a photo of a cat."};

/* Entries of a folder of /proc: open files, threads. */
static size_t entries(const char *path)
{
    size_t n = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder)) n++;
    closedir(folder);
    return n;
}

static mopd_encoder *open_round(size_t round, const char *path)
{
    mopd_encoder_options o;
    mopd_encoder *e = NULL;
    assert_ok(mopd_encoder_options_init(&o, sizeof o));
    o.n_threads = (uint32_t)(1 + round % 3);
    o.flags = round % 4 < 2 ? 0 : MOPD_OPEN_READ;
    assert_ok(mopd_encoder_open(&e, path, &o));
    return e;
}

/* A text's and a picture's feature, 2 x D. */
static void encode(const mopd_encoder *e, float *features)
{
    static const uint8_t samples[5 * 7 * 3] = {200, 9, 77, 31};
    mopd_image *image = NULL;
    assert_ok(mopd_image_create(&image, samples, 5, 7, 3, 0));
    assert_ok(mopd_encoder_encode_texts(e, text, 1, features));
    assert_ok(mopd_encoder_encode_images(e, (const mopd_image *const *)&image, 1, features + DIM));
    mopd_image_close(image);
}

static void many_encoders_answer_alike_and_leave_nothing(void **state)
{
    (void)state;
    const char *const path[MODELS] = {GOLD "hf", GOLD "openclip", GOLD "openai/tiny.pt", tiny_model(1)};
    float first[MODELS][2 * DIM], now[2 * DIM];
    test_count_start();
    mopd_encoder_close(open_round(1, path[0])); /* what is started once, by sanitizers too, is there then */
    const size_t n_files = entries("/proc/self/fd"), n_threads = entries("/proc/self/task");
    mopd_encoder *open = NULL;
    for (size_t i = 0; i < ROUNDS; i++) {
        mopd_encoder *next = open_round(i, path[i % MODELS]);
        if (open) encode(open, now); /* the one of the round before still answers */
        if (open) assert_memory_equal(now, first[(i - 1) % MODELS], sizeof now);
        encode(next, i < MODELS ? first[i] : now);
        if (i >= MODELS) assert_memory_equal(now, first[i % MODELS], sizeof now);
        mopd_encoder_close(open);
        open = next;
    }
    mopd_encoder_close(open);
    assert_int_equal(test_count_live(), 0);
    assert_int_equal(entries("/proc/self/fd"), n_files);
    const time_t begun = time(NULL); /* a thread that has been joined may stand there a moment longer */
    while (entries("/proc/self/task") > n_threads && test_pause(begun)) continue;
    assert_int_equal(entries("/proc/self/task"), n_threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_encoders_answer_alike_and_leave_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
