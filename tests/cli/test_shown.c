/* SPDX-License-Identifier: MIT
 * test_shown.c - names that end a line, that a terminal obeys or that are no UTF-8: in messages, tables, CSV and JSON. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/labelled.h"

#define LATIN "caf\xe9.png" /* no UTF-8 */
#define EVIL "a\x1b]0;owned\x07\nb.png"

static void assert_is_hex_of(const json_t *document, const char *shown, const char *hex)
{
    const json_t *bytes = json_object_get(document, "bytes");
    for (const char *at = strstr(shown, "caf"); at; at = NULL) assert_has(shown, "caf\\xe9.png");
    const char *digits = json_string_value(json_object_get(bytes, shown));
    if (!digits) fail_msg("no bytes of %s", shown);
    assert_string_equal(digits + strlen(digits) - strlen(hex), hex);
}

/* Good and bad ones: each line is JSON, and the name can be had back. */
static void json_names_files_that_are_no_utf8(void **state)
{
    (void)state;
    const char *good = test_png("latin/" LATIN, 9, 12, 1), *bad = test_text("latin/bad-" LATIN, "no picture");
    run_result r = run_mopd(NULL, "classify -m @ --classes a,b --format json @ @", tiny_model(1), good, bad);
    assert_run(r, 1);
    json_t *d = labelled_json(&r), *results = json_object_get(d, "results");
    const json_t *first = json_array_get(results, 0), *second = json_array_get(results, 1);
    assert_int_equal(json_array_size(json_object_get(first, "top")), 1);
    assert_is_hex_of(d, json_string_value(json_object_get(first, "image")), "636166e92e706e67");
    assert_has(json_string_value(json_object_get(second, "error")), "bad-caf\\xe9.png: not JPEG");
    assert_is_hex_of(d, json_string_value(json_object_get(second, "image")), "6261642d636166e92e706e67");
    json_decref(d);
    r = run_mopd(
        NULL, "classify -m @ --classes a,b --format json @", tiny_model(1), test_png("plain.png", 9, 12, 1));
    d = labelled_json(&r);
    assert_null(json_object_get(d, "bytes")); /* nothing is said where nothing had to be changed */
    json_decref(d);
}

static void json_names_outputs_that_are_no_utf8(void **state)
{
    (void)state;
    const char *picture = test_png("one.png", 9, 12, 1), *data = labelled_data("named");
    static const char *const lines[][2] = {{"encode -m @ --image @ --format json -o @", "path"},
        {"fit -m @ -d @ --format json -o @", "recognizer"},
        {"train -m @ -d @ --template {} --template {}! --epochs 1 --format json -o @", "prompt"},
        {"features -m @ -d @ --format json -o @", "store"}};
    for (size_t i = 0; i < 4; i++) {
        run_result r =
            run_mopd(NULL, lines[i][0], tiny_model(1), i ? data : picture, test_path("caf\xe9.out"));
        assert_run(r, 0);
        json_t *d = labelled_json(&r);
        const char *shown = json_string_value(json_object_get(d, lines[i][1]));
        assert_has(shown, "caf\\xe9.out");
        assert_non_null(json_object_get(json_object_get(d, "bytes"), shown));
        json_decref(d);
    }
    run_result r = run_mopd(NULL, "pack -m @ --format json -o @", tiny_model(1), test_path("caf\xe9.packed"));
    assert_run(r, 0);
    json_t *d = labelled_json(&r);
    assert_has(json_string_value(json_object_get(d, "path")), "caf\\xe9.packed");
    json_decref(d);
}

static void assert_quiet_terminal(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 && *c != '\n') fail_msg("byte %d in: %s", *c, text);
}

/* A message is one line, whatever the name of the file. */
static void messages_quote_what_a_terminal_obeys(void **state)
{
    (void)state;
    const char *bad = test_text("evil/" EVIL, "no picture");
    run_result r = run_mopd(NULL, "classify -m @ --classes a,b @", tiny_model(1), bad);
    assert_one_error(&r, 1, "a\\x1b]0;owned\\x07\\nb.png: not JPEG", "");
    assert_quiet_terminal(r.err);
    r = run_mopd(NULL, "classify -m @ --classes a,b @", tiny_model(1), test_path("none/" EVIL));
    assert_one_error(&r, 1, "a\\x1b]0;owned\\x07\\nb.png: cannot open", "No such file");
    assert_quiet_terminal(r.err);
    r = run_mopd(NULL, "classify @ x", "--no\x1b[31msuch");
    assert_one_error(&r, 2, "--no\\x1b[31msuch", "");
    assert_quiet_terminal(r.err);
}

static void tables_quote_what_a_terminal_obeys(void **state)
{
    (void)state;
    const char *good = test_png("shown/" EVIL, 9, 12, 1),
               *classes = test_text("classes.txt", "cat\x1b[2J\ndog\xc2\x9b\n");
    run_result r = run_mopd(NULL, "classify -m @ --class-file @ --top 2 @", tiny_model(1), classes, good);
    assert_run(r, 0);
    assert_has(r.out, "a\\x1b]0;owned\\x07\\nb.png");
    assert_has(r.out, "cat\\x1b[2J");
    assert_has(r.out, "dog\\xc2\\x9b");
    assert_quiet_terminal(r.out);
    labelled_data("escapes");
    assert_int_equal(rename(test_path("escapes/train/d"), test_path("escapes/train/d\x1b[31m")), 0);
    assert_int_equal(rename(test_path("escapes/test/d"), test_path("escapes/test/d\x1b[31m")), 0);
    r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_path("escapes"));
    assert_run(r, 0);
    assert_has(r.out, "d\\x1b[31m");
    assert_quiet_terminal(r.out);
    r = run_mopd(NULL, "doctor -q -m @ -d @", tiny_model(1), test_path("escapes"));
    assert_run(r, 0);
    assert_quiet_terminal(r.out);
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; (text = strchr(text, '\n')); text++) n++;
    return n;
}

/* A terminal's other end gets what was written by and by: this waits for n lines, all of what was written. */
static void read_lines(int terminal, size_t n, char *text, size_t size)
{
    size_t end = 0;
    *text = 0;
    do {
        const ssize_t got = read(terminal, text + end, size - 1 - end);
        if (got <= 0) fail_msg("no %zu lines in: %s", n, text);
        end += (size_t)got;
        text[end] = 0;
    } while (count_lines(text) < n);
}

/* Bytes that are no UTF-8, of which old terminals obey some, are quoted where a terminal is; a file gets them as they are. */
static void a_terminal_gets_utf8(void **state)
{
    (void)state;
    const char *picture = test_png("csi\x9b"
                                   "2J.png",
        9, 12, 1);
    run_result r = run_mopd(NULL, "classify -m @ --classes a,b @", tiny_model(1), picture);
    assert_run(r, 0);
    assert_has(r.out, "csi\x9b"
                      "2J.png");
    const size_t n_lines = count_lines(r.out);
    char name[32];
    int number = 0, unlocked = 0;
    const int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    if (terminal < 0) skip();
    assert_false(ioctl(terminal, TIOCSPTLCK, &unlocked) || ioctl(terminal, TIOCGPTN, &number));
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    const int kept = open(name, O_RDWR | O_NOCTTY);
    assert_true(kept >= 0);
    r = run_mopd(&(run_setup){.out = name}, "classify -m @ --classes a,b @", tiny_model(1), picture);
    assert_run(r, 0);
    char seen[4096];
    read_lines(terminal, n_lines, seen, sizeof seen);
    assert_has(seen, "csi\\x9b2J.png");
    assert_null(strchr(seen, '\x9b'));
    close(kept);
    close(terminal);
}

/* A cell is the text itself, for programs: spreadsheets must be told that it is text (docs/security.md). */
static void csv_keeps_names_as_they_are(void **state)
{
    (void)state;
    const char *formula = test_png("=HYPERLINK(1).png", 9, 12, 1);
    run_result r =
        run_mopd(NULL, "encode -q -m @ --image @ -o @", tiny_model(1), formula, test_path("f.npy"));
    assert_run(r, 0);
    r = run_mopd(
        NULL, "encode -q -m @ -d @ -o @", tiny_model(1), test_path("f.paths.csv"), test_path("g.npy"));
    assert_run(r, 0);
    assert_same_files(test_path("f.npy"), test_path("g.npy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_names_files_that_are_no_utf8),
        cmocka_unit_test(json_names_outputs_that_are_no_utf8),
        cmocka_unit_test(messages_quote_what_a_terminal_obeys),
        cmocka_unit_test(tables_quote_what_a_terminal_obeys),
        cmocka_unit_test(a_terminal_gets_utf8),
        cmocka_unit_test(csv_keeps_names_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
