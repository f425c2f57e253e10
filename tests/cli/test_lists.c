/* SPDX-License-Identifier: MIT
 * test_lists.c - files of classes, templates, texts and names: what is none is named with its line, and nothing is waited
 * for. */
#include <sys/stat.h>
#include <unistd.h>

#include "support/labelled.h"

static const char *bytes_of(const char *name, const char *bytes, size_t n)
{
    return test_write(name, bytes, n);
}

#define BYTES_OF(name, bytes) bytes_of(name, bytes, sizeof(bytes) - 1)

static void refused(const char *path, const char *reason)
{
    static const char *const lines[] = {"classify -m @ --class-file @ x.png", "tokenize -m @ --text-file @",
        "classify -m @ --classes a,b --template-file @ x.png", "encode -m @ -o /dev/null --text-file @"};
    for (size_t i = 0; i < 4; i++) {
        run_result r = run_mopd(NULL, lines[i], tiny_model(1), path);
        assert_one_error(&r, 1, path, reason);
    }
}

static void what_is_no_regular_file_is_not_read(void **state)
{
    (void)state;
    const char *pipe = test_path("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    refused("/dev/zero", "/dev/zero: is a device, a list is a regular file, or '-' for standard input");
    refused(pipe, "pipe: is a pipe, a list is a regular file");
    refused(test_folder("folder/x"), "is a folder");
    refused(test_path("none.txt"), "none.txt: cannot open: No such file");
}

static void files_of_other_kinds_say_what_they_are(void **state)
{
    (void)state;
    refused(BYTES_OF("a.jpg", "\xff\xd8\xff\xe0\0\x10JFIF"), "a.jpg: line 1: is a JPEG picture");
    refused(BYTES_OF("a.zip", "PK\3\4\x14\0\0\0"), "a.zip: line 1: is a zip archive");
    refused(BYTES_OF("a.txt", "\xff\xfe"
                              "c\0a\0t\0\n\0"),
        "a.txt: line 1: is a text in UTF-16: save it as UTF-8");
    refused(BYTES_OF("a.html", "<!DOCTYPE html>\n"), "a.html: line 1: is an HTML page");
    refused(BYTES_OF("a.lfs", "version https://git-lfs.github.com/spec/v1\n"),
        "a.lfs: line 1: is a pointer of Git LFS");
}

/* A zero or a carriage return would end a name without a word. */
static void lines_that_are_none_are_named(void **state)
{
    (void)state;
    refused(BYTES_OF("zero.txt", "cat\ndo\0g\n"), "zero.txt: line 2: a zero byte");
    refused(BYTES_OF("mac.txt", "cat\rdog\rbird\r"), "mac.txt: line 1: a carriage return that ends no line");
    refused(BYTES_OF("latin.txt", "cat\n\ncaf\xe9\n"), "latin.txt: line 3: bytes that are not UTF-8");
    run_result r = run_mopd(NULL, "tokenize -m @ --text-file @", tiny_model(1),
        BYTES_OF("dos.txt", "\xef\xbb\xbf"
                            "a\r\n\r\nb\r\n"));
    assert_run(r, 0);
    run_result plain = run_mopd(NULL, "tokenize -m @ a b", tiny_model(1));
    assert_string_equal(r.out, plain.out);
}

/* The same of lists that the library reads. */
static void lists_of_pictures_and_names(void **state)
{
    (void)state;
    const char *data = labelled_data("listed");
    static const struct {
        const char *name, *text, *words;
    } lists[] = {{"page.csv", "<html><body>", "page.csv: an HTML page, as a failed download leaves it"},
        {"lfs.csv", "version https://git-lfs.github.com/spec/v1\n", "lfs.csv: a pointer of Git LFS"}};
    for (size_t i = 0; i < 2; i++) {
        run_result r = run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1),
            test_text(lists[i].name, lists[i].text), test_path("out"));
        assert_one_error(&r, 1, lists[i].words, "");
    }
    run_result r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_png("picture.png", 9, 12, 1));
    assert_one_error(&r, 1, "picture.png: a PNG picture", "");
    r = run_mopd(
        NULL, "eval -m @ -d @ --names @", tiny_model(1), data, test_text("names.txt", "a\rx\nb\nc\nd\n"));
    assert_one_error(&r, 1, "names.txt: line 1: a carriage return that ends no line", "");
    r = run_mopd(NULL, "eval -m @ -d @ -p @", tiny_model(1), data, test_png("prompt.safetensors", 9, 12, 1));
    assert_one_error(&r, 1, "prompt.safetensors: a PNG picture", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_regular_file_is_not_read),
        cmocka_unit_test(files_of_other_kinds_say_what_they_are),
        cmocka_unit_test(lines_that_are_none_are_named),
        cmocka_unit_test(lists_of_pictures_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
