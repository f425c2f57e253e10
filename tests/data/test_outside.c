/* SPDX-License-Identifier: MIT
 * test_outside.c - pictures outside of the folder that their paths start from are told, and of a dataset's pictures only
 * the content that was encoded is opened. */
#include <sys/stat.h>
#include <unistd.h>

#include "support/datasets.h"
#include "support/needs.h"

/* The remark on pictures outside, "" when there is none. */
static const char *outside_of(const mopd_dataset *d, uint64_t *n)
{
    static mopd_remark r;
    r = (mopd_remark){.struct_size = sizeof r};
    for (size_t i = 0; mopd_dataset_get_remark(d, i, &r) == MOPD_OK; i++) {
        *n = r.n;
        if (r.kind == MOPD_REMARK_OUTSIDE) return r.text;
    }
    *n = 0;
    return "";
}

static void assert_outside(mopd_dataset *d, uint64_t want, const char *text)
{
    uint64_t n;
    assert_string_equal(outside_of(d, &n), text);
    assert_int_equal(n, want);
    mopd_dataset_close(d);
}

static void paths_that_lead_out_are_told(void **state)
{
    (void)state;
    char list[1024], words[1024];
    assert_outside(datasets_of("in/list.csv", "path,label\na/1.png,a\na/..b/2.png,b\n./c..,c\n"), 0, "");
    assert_outside(datasets_of("in/up.csv", "path,label\na/1.png,a\n../2.png,b\n"), 1,
        "1 picture lies outside of the data's folder: ../2.png");
    assert_outside(datasets_of("in/within.csv", "path,label\na/1.png,a\nb/../../2.png,b\nb/..,c\n"), 2,
        "2 pictures lie outside of the data's folder: b/../../2.png and others");
    const char *top = test_png("elsewhere/1.png", 9, 12, 1);
    snprintf(list, sizeof list, "path,label\n%s,a\n", top);
    snprintf(words, sizeof words, "1 picture lies outside of the data's folder: %s", top);
    assert_outside(datasets_of("in/top.csv", list), 1, words);
}

/* Of a folder, which can only lead out by links: of a picture, of a class. */
static void links_that_lead_out_are_told(void **state)
{
    (void)state;
    const char *away = test_png("away/1.png", 9, 12, 1);
    test_png("linked/cat/1.png", 9, 12, 2);
    test_png("linked/dog/1.png", 9, 12, 3);
    assert_int_equal(symlink("1.png", test_path("linked/cat/2.png")), 0); /* which stays inside */
    assert_outside(datasets_open(test_path("linked")), 0, "");
    assert_int_equal(symlink(away, test_path("linked/cat/3.png")), 0);
    assert_outside(
        datasets_open(test_path("linked")), 1, "1 picture lies outside of the data's folder: cat/3.png");
    assert_int_equal(symlink(test_path("away"), test_path("linked/far")), 0);
    assert_outside(datasets_open(test_path("linked")), 2,
        "2 pictures lie outside of the data's folder: cat/3.png and others");
    assert_int_equal(
        symlink(test_path("linked"), test_path("whole")), 0); /* the folder itself may be behind one */
    assert_outside(datasets_open(test_path("whole")), 2,
        "2 pictures lie outside of the data's folder: cat/3.png and others");
}

static void pictures_are_opened_to_be_shown(void **state)
{
    (void)state;
    mopd_image *image = NULL;
    test_png("shown/cat/1.png", 9, 12, 1);
    test_text("shown/cat/2.png", "-----BEGIN PRIVATE KEY-----");
    mopd_dataset *d = datasets_open(test_path("shown"));
    assert_ok(mopd_dataset_open_image(&image, d, 0, NULL));
    assert_int_equal(mopd_image_width(image), 9);
    assert_int_equal(mopd_image_height(image), 12);
    mopd_image_close(image);
    assert_fails(mopd_dataset_open_image(&image, d, 1, NULL), MOPD_E_FORMAT, "shown/cat/2.png: not JPEG");
    assert_null(image);
    assert_null(strstr(mopd_last_error(), "BEGIN")); /* nothing of what is in it */
    assert_fails(mopd_dataset_open_image(&image, d, 2, NULL), MOPD_E_ARG, "index 2 of 2 pictures");
    unlink(test_path("shown/cat/1.png"));
    assert_fails(mopd_dataset_open_image(&image, d, 0, NULL), MOPD_E_IO, "No such file");
    mopd_dataset_close(d);
}

static void a_pipe_in_a_picture_s_place_is_told(void **state)
{
    (void)state;
    TEST_NEEDS("pipes");
    mopd_image *image = NULL;
    test_png("piped/cat/1.png", 9, 12, 1);
    mopd_dataset *d = datasets_open(test_path("piped"));
    unlink(test_path("piped/cat/1.png"));
    assert_int_equal(mkfifo(test_path("piped/cat/1.png"), 0600), 0);
    assert_fails(mopd_dataset_open_image(&image, d, 0, NULL), MOPD_E_IO, "is a pipe");
    mopd_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_that_lead_out_are_told),
        cmocka_unit_test(links_that_lead_out_are_told),
        cmocka_unit_test(pictures_are_opened_to_be_shown),
        cmocka_unit_test(a_pipe_in_a_picture_s_place_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
