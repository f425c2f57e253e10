/* SPDX-License-Identifier: MIT
 * test_private.c - a store that a stranger has made names files of the reader: none of their bytes leaves by a page or a
 * message. */
#include <sys/stat.h>
#include <unistd.h>

#include "support/labelled.h"

#define SECRET "-----BEGIN PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"

/* A list that names every picture from the top, and last/..: as stores take them over. */
static const char *list_of(const char *name)
{
    char path[128], text[16384];
    size_t n = (size_t)snprintf(text, sizeof text, "path,label,split\n");
    labelled_data(name);
    for (int c = 0; c < LABELLED_CLASSES; c++)
        for (int k = 0; k < LABELLED_TRAIN + LABELLED_TEST; k++) {
            const bool test = k >= LABELLED_TRAIN;
            snprintf(path, sizeof path, "%s/%s/%c/%d.png", name, test ? "test" : "train", 'a' + c,
                test ? k - LABELLED_TRAIN : k);
            n += (size_t)snprintf(
                text + n, sizeof text - n, "%s,%c,%s\n", test_path(path), 'a' + c, test ? "test" : "train");
        }
    snprintf(path, sizeof path, "%s-list/list.csv", name);
    return test_text(path, text);
}

/* Every picture becomes what `bytes` are. */
static void replace_all(const char *name, const void *bytes, size_t n)
{
    char path[128];
    for (int c = 0; c < LABELLED_CLASSES; c++)
        for (int k = 0; k < LABELLED_TRAIN + LABELLED_TEST; k++) {
            const bool test = k >= LABELLED_TRAIN;
            snprintf(path, sizeof path, "%s/%s/%c/%d.png", name, test ? "test" : "train", 'a' + c,
                test ? k - LABELLED_TRAIN : k);
            test_write(path, bytes, n);
        }
}

/* Neither as it is nor in base64, of which one of three shifts always begins with a whole group. */
static void assert_nothing_of(const char *text, const char *secret)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_null(strstr(text, "PRIVATE KEY"));
    for (size_t shift = 0; shift < 3; shift++) {
        char coded[33] = "";
        for (size_t i = 0; i < 8; i++) {
            const unsigned char *b = (const unsigned char *)secret + shift + 3 * i;
            const unsigned x = (unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2];
            for (int k = 0; k < 4; k++) coded[4 * i + (size_t)k] = digits[x >> (18 - 6 * k) & 63];
        }
        if (strstr(text, coded)) fail_msg("the page holds %s", coded);
    }
}

static void assert_page_is_clean(const char *page, bool pictures)
{
    size_t n;
    char *html = read_whole(page, &n);
    assert_has(html, "(not at hand)");
    if (!pictures) assert_null(strstr(html, "data:image"));
    assert_nothing_of(html, SECRET);
    free(html);
}

static void a_store_shows_no_private_file(void **state)
{
    (void)state;
    static const char as_png[] = "\x89PNG\r\n\x1a\n" SECRET, as_jpeg[] = "\xff\xd8\xff" SECRET;
    static const struct {
        const char *bytes;
        size_t n;
    } files[] = {{SECRET, sizeof SECRET - 1}, {as_png, sizeof as_png - 1}, {as_jpeg, sizeof as_jpeg - 1}};
    const char *store = test_path("theirs.safetensors"), *page = test_path("page.html");
    run_result r = run_mopd(NULL, "features -q -m @ -d @ -o @", tiny_model(1), list_of("private"), store);
    assert_run(r, 0);
    for (size_t i = 0; i < 3; i++) {
        replace_all("private", files[i].bytes, files[i].n);
        r = run_mopd(NULL, "train -m @ -d @ --template {} --template {}! --epochs 1 --report @ -o @",
            tiny_model(1), store, page, test_path("p.safetensors"));
        assert_run(r, 0);
        assert_has(r.err, "28 pictures lie outside of the data's folder: ");
        assert_nothing_of(r.err, SECRET);
        assert_nothing_of(r.out, SECRET);
        assert_page_is_clean(page, false);
        r = run_mopd(NULL, "doctor -m @ -d @ --report @ --format json", tiny_model(1), store, page);
        assert_run(r, 0);
        assert_nothing_of(r.err, SECRET);
        assert_nothing_of(r.out, SECRET);
        unlink(page);
    }
}

/* A photograph of the reader's is a picture, but not the one that was encoded. */
static void a_store_shows_no_other_picture(void **state)
{
    (void)state;
    const char *store = test_path("swapped.safetensors"), *page = test_path("swapped.html");
    run_result r = run_mopd(NULL, "features -q -m @ -d @ -o @", tiny_model(1), list_of("swapped"), store);
    assert_run(r, 0);
    size_t n;
    char *photo = read_whole(test_png("mine.png", 30, 20, 77), &n);
    replace_all("swapped", photo, n);
    free(photo);
    r = run_mopd(NULL, "train -q -m @ -d @ --template {} --template {}! --epochs 1 --report @ -o @",
        tiny_model(1), store, page, test_path("s.safetensors"));
    assert_run(r, 0);
    assert_page_is_clean(page, false);
}

/* The message about a listed file that is no picture shows nothing of it. */
static void a_list_tells_nothing_of_what_it_names(void **state)
{
    (void)state;
    const char *list = list_of("told");
    replace_all("told", SECRET, sizeof SECRET - 1);
    static const char *const lines[] = {"features -m @ -d @ -o @", "features -m @ -d @ --skip-bad -o @"};
    for (size_t i = 0; i < 2; i++) {
        run_result r = run_mopd(NULL, lines[i], tiny_model(1), list, test_path("told.safetensors"));
        assert_run(r, 1);
        assert_has(r.err, "not JPEG, PNG");
        assert_nothing_of(r.err, SECRET);
    }
    run_result r = run_mopd(
        NULL, "classify -m @ --classes a,b --format json @", tiny_model(1), test_text("told.jpg", SECRET));
    assert_run(r, 1);
    assert_nothing_of(r.err, SECRET);
    assert_nothing_of(r.out, SECRET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_shows_no_private_file),
        cmocka_unit_test(a_store_shows_no_other_picture),
        cmocka_unit_test(a_list_tells_nothing_of_what_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
