/* SPDX-License-Identifier: MIT
 * test_lessons.c - the first lessons of examples/ on a tiny model: they print what the library says. */
#include <dirent.h>
#include <unistd.h>

#include "pictures.h"
#include "support/run.h"

#define MODEL MOPD_TEST_DIR "/gold/towers/hf"

enum { DIM = 12, PICTURES = 4 };

static const char *picture[PICTURES], *broken, *folder;

static mopd_encoder *open_model(void)
{
    mopd_encoder *encoder = NULL;
    assert_ok(mopd_encoder_open(&encoder, MODEL, NULL));
    return encoder;
}

/* Features of the pictures, PICTURES x D. */
static void encode(const mopd_encoder *encoder, float *features)
{
    for (size_t i = 0; i < PICTURES; i++) {
        mopd_image *image = NULL;
        assert_ok(mopd_image_open(&image, picture[i], NULL));
        assert_ok(
            mopd_encoder_encode_images(encoder, (const mopd_image *const *)&image, 1, features + i * DIM));
        mopd_image_close(image);
    }
}

static void lesson_classify_prints_the_best_three(void **state)
{
    (void)state;
    static const char *const classes[] = {"cat", "dog", "sea", "zoo"};
    mopd_encoder *encoder = open_model();
    mopd_bank *bank = NULL;
    mopd_match best[3];
    float features[PICTURES * DIM];
    char want[200], *at = want;
    encode(encoder, features);
    assert_ok(mopd_bank_create(&bank, encoder, classes, 4, NULL, 0));
    assert_ok(mopd_bank_top(bank, features, 1, 3, best));
    for (size_t i = 0; i < 3; i++)
        at += sprintf(at, "%5.1f %%  %s\n", 100.0 * (double)best[i].probability, classes[best[i].index]);
    mopd_bank_free(bank);
    mopd_encoder_close(encoder);
    const run_result r = run_lesson(NULL, "01_classify", "@ cat dog sea zoo", picture[0]);
    assert_run(r, 0);
    assert_string_equal(r.out, want);
    const run_result bad = run_lesson(NULL, "01_classify", "@ cat", broken);
    assert_run(bad, 1);
    assert_has(bad.err, broken);
}

static void lesson_in_cxx_prints_the_same(void **state)
{
    (void)state;
    char name[600], want[700];
    snprintf(name, sizeof name, "%s/examples/07_classify", MOPD_BINARY_DIR);
    if (access(name, X_OK)) skip(); /* no compiler of C++ */
    const run_result c = run_lesson(NULL, "01_classify", "@ cat dog", picture[0]);
    const run_result cxx = run_lesson(NULL, "07_classify", "cat,dog @", picture[0]);
    assert_run(c, 0);
    assert_run(cxx, 0);
    double percent;
    char best[8];
    assert_int_equal(sscanf(c.out, "%lf %% %7s", &percent, best), 2);
    snprintf(want, sizeof want, "%s: %s, %.1f %%\n", picture[0], best, percent);
    assert_string_equal(cxx.out, want);
}

static void lesson_features_finds_the_copy_and_goes_on_without_the_broken(void **state)
{
    (void)state;
    const char *copy = test_png("copy.png", 12, 9, 1); /* of picture[0] */
    const run_result r =
        run_lesson(NULL, "02_features", "@ @ @ @ @", picture[0], picture[1], broken, copy, picture[2]);
    assert_run(r, 0);
    char first[600];
    snprintf(first, sizeof first, "1.000  %s\n", copy);
    assert_int_equal(strncmp(r.out, first, strlen(first)), 0);
    assert_has(r.out, picture[1]);
    assert_has(r.out, picture[2]);
    assert_null(strstr(r.out, broken));
    assert_has(r.err, broken);
}

static void lesson_train_makes_a_prompt_that_the_next_one_uses(void **state)
{
    (void)state;
    const char *prompt = test_path("prompt.safetensors");
    const run_result r = run_lesson(NULL, "03_train", "@ @", folder, prompt);
    assert_run(r, 0);
    assert_has(r.out, "epoch  1  loss ");
    assert_has(r.out, prompt);
    const run_result n = run_lesson(NULL, "04_new_classes", "@ @ fox wolf", prompt, picture[0]);
    assert_run(n, 0);
    assert_has(n.out, "learned prompt\n");
    assert_has(n.out, "a photo of a {}.\n");
    assert_has(n.out, "teacher ");
    assert_has(n.out, "fox\n");
}

static void lesson_own_loop_makes_a_prompt_of_its_classes(void **state)
{
    (void)state;
    const char *path = test_path("own.safetensors");
    const run_result r = run_lesson(NULL, "05_own_loop", "@ @", folder, path);
    assert_run(r, 0);
    assert_has(r.out, "epoch 10  lr ");
    mopd_encoder *encoder = open_model();
    mopd_prompt *prompt = NULL;
    mopd_bank *bank = NULL;
    assert_ok(mopd_prompt_open(&prompt, path, encoder));
    assert_ok(mopd_bank_create_prompt(&bank, encoder, NULL, 0, prompt)); /* those it was trained on */
    assert_int_equal(mopd_bank_n_classes(bank), 2);
    assert_string_equal(mopd_bank_class_name(bank, 1), "dog");
    mopd_bank_free(bank);
    mopd_prompt_close(prompt);
    mopd_encoder_close(encoder);
}

/* A lesson that nobody runs may have stopped working. */
static void every_lesson_is_run(void **state)
{
    (void)state;
    static const char *const runners[] = {
        "/examples/test_lessons.c", "/examples/test_hosts.c", "/mpi/run.sh"};
    char *text[3], name[300];
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, MOPD_TEST_DIR "%s", runners[i]);
        text[i] = test_read(name);
    }
    DIR *lessons = opendir(MOPD_SOURCE_DIR "/examples");
    assert_non_null(lessons);
    for (struct dirent *e; (e = readdir(lessons));) {
        if (e->d_name[0] < '0' || e->d_name[0] > '9') continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(e->d_name, "."), e->d_name);
        if (!strstr(text[0], name) && !strstr(text[1], name) && !strstr(text[2], name))
            fail_msg("no test runs %s", name);
        n++;
    }
    closedir(lessons);
    assert_true(n >= 13);
    for (size_t i = 0; i < 3; i++) free(text[i]);
}

static int prepare(void **state)
{
    (void)state;
    static const char *const names[PICTURES] = {"p/cat/a.png", "p/cat/b.png", "p/dog/a.png", "p/dog/b.png"};
    for (uint32_t i = 0; i < PICTURES; i++) picture[i] = test_png(names[i], 12, 9, i + 1);
    folder = test_path("p");
    broken = test_text("broken.png", "no picture");
    setenv("MOPD_MODEL", MODEL, 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lesson_classify_prints_the_best_three),
        cmocka_unit_test(lesson_in_cxx_prints_the_same),
        cmocka_unit_test(lesson_features_finds_the_copy_and_goes_on_without_the_broken),
        cmocka_unit_test(lesson_train_makes_a_prompt_that_the_next_one_uses),
        cmocka_unit_test(lesson_own_loop_makes_a_prompt_of_its_classes),
        cmocka_unit_test(every_lesson_is_run),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
