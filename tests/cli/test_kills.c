/* SPDX-License-Identifier: MIT
 * test_kills.c - every command that writes, killed at one point after another of its writing: what was there is whole, or
 * what comes is, and the next run leaves nothing behind.  The points are counted, not timed (support/alone/kill_at.c). */
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/labelled.h"
#include "support/ordinary.h"

enum { POINTS = 8, LEAST = 6 };

static const char *data, *folder;

/* Unfinished files in the folder. */
static int count_left(void)
{
    int n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) n += !strncmp(e->d_name, ".mopd-", 6);
    closedir(dir);
    return n;
}

static run_result run_until(long at, const char *line, const char *more, const char *target)
{
    char number[24];
    snprintf(number, sizeof number, "%ld", at);
    if (at) setenv("MOPD_KILL_AT", number, 1);
    if (at) setenv("LD_PRELOAD", MOPD_BINARY_DIR "/libkill_at.so", 1);
    run_result r = run_mopd(NULL, line, tiny_model(1), more, target);
    unsetenv("LD_PRELOAD");
    unsetenv("MOPD_KILL_AT");
    return r;
}

static bool same_bytes(const char *path, const char *bytes, size_t n)
{
    size_t m;
    char *now = read_whole(path, &m);
    const bool same = n == m && !memcmp(now, bytes, n);
    free(now);
    return same;
}

/* How many things the command does to files that it writes, and how many of them are syncs. */
static void count_all(const char *line, const char *more, const char *target, long count[2])
{
    const char *path = test_path("count");
    setenv("MOPD_KILL_COUNT", path, 1);
    const run_result r = run_until(LONG_MAX, line, more, target);
    unsetenv("MOPD_KILL_COUNT");
    assert_run(r, 0);
    char *text = test_read(path), *rest;
    count[0] = strtol(text, &rest, 10);
    count[1] = strtol(rest, NULL, 10);
    free(text);
}

static long count_points(const char *line, const char *more, const char *target)
{
    long count[2];
    count_all(line, more, target, count);
    return count[0];
}

/* The target is what it was, or what it becomes. */
static void kill_everywhere(const char *line, const char *more, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "kills/%s", name);
    const char *target = test_path(path);
    run_result r = run_until(0, line, more, target);
    assert_run(r, 0);
    size_t n;
    char *want = read_whole(target, &n);
    const long points = count_points(line, more, target), step = points > POINTS ? points / POINTS : 1;
    if (points < LEAST)
        fail_msg("%s: only %ld points: is the library loaded before the command?", line, points);
    for (long at = points % step + 1; at <= points; at += step) {
        test_write(path, "old", 3);
        r = run_until(at, line, more, target);
        assert_run(r, 137);
        if (!same_bytes(target, "old", 3) && !same_bytes(target, want, n))
            fail_msg("%s: broken by a kill at point %ld of %ld", line, at, points);
    }
    r = run_until(0, line, more, target);
    assert_run(r, 0);
    assert_true(same_bytes(target, want, n));
    assert_int_equal(count_left(), 0);
    free(want);
}

static int open_folder(void **state)
{
    (void)state;
    data = labelled_data("killed");
    folder = test_folder("kills/x");
    folder = test_path("kills");
    setenv("SOURCE_DATE_EPOCH", "86400", 1); /* pages repeat */
    return 0;
}

static void features_are_whole(void **state)
{
    (void)state;
    kill_everywhere("features -q -m @ -d @ -o @", data, "store.safetensors");
}

static void prompts_are_whole(void **state)
{
    (void)state;
    kill_everywhere("train -q -m @ -d @ --template {} --template {}! --epochs 2 --threads 1 -o @", data,
        "prompt.safetensors");
}

static void checkpoints_are_whole(void **state)
{
    (void)state;
    kill_everywhere(
        "train -q -m @ -d @ --template {} --template {}! --epochs 1 --threads 1 -o /dev/null --checkpoint @",
        data, "run.safetensors");
}

static void reports_are_whole(void **state)
{
    (void)state;
    kill_everywhere(
        "train -q -m @ -d @ --template {} --template {}! --epochs 2 --threads 1 -o /dev/null --report @",
        data, "page.html");
    kill_everywhere("doctor -q -m @ -d @ --report @", data, "doctor.html");
}

static void lists_are_whole(void **state)
{
    (void)state;
    kill_everywhere("doctor -q -m @ -d @ --fix @", data, "fix.csv");
}

static void recognizers_are_whole(void **state)
{
    (void)state;
    kill_everywhere("fit -q -m @ -d @ -o @", data, "fit.safetensors");
}

static void arrays_and_models_are_whole(void **state)
{
    (void)state;
    kill_everywhere("encode -q -m @ --image @ -o @", test_path("killed/train"), "rows.npy");
    kill_everywhere("preprocess -q -m @ @ -o @", test_path("killed/train/a/0.png"), "x.npy");
    kill_everywhere("pack -q -m @ --dtype @ -o @", "f32", "packed.safetensors");
}

/* The file before it has its name, and the folder that holds the name. */
static void what_is_written_is_synced(void **state)
{
    (void)state;
    long count[2];
    static const char *const lines[] = {"features -q -m @ -d @ -o @", "fit -q -m @ -d @ -o @",
        "doctor -q -m @ -d @ --report @", "doctor -q -m @ -d @ --fix @"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        count_all(lines[i], data, test_path("kills/synced"), count);
        if (count[1] < 2) fail_msg("%s: %ld syncs", lines[i], count[1]);
    }
}

/* The first Ctrl-C, or SIGTERM, where the command is about to open a file that it opens something with. */
static void stop_at(const char *end, int number, const char *line, const char *a, const char *b)
{
    char text[24];
    snprintf(text, sizeof text, "%d", number);
    setenv("MOPD_SIGNAL_AT", end, 1);
    setenv("MOPD_SIGNAL", text, 1);
    setenv("LD_PRELOAD", MOPD_BINARY_DIR "/libkill_at.so", 1);
    run_result r = run_mopd(NULL, line, a, b);
    unsetenv("LD_PRELOAD");
    unsetenv("MOPD_SIGNAL_AT");
    if (r.status != 130 || *r.out)
        fail_msg("%s, stopped at %s: status %d\n%s%s", line, end, r.status, r.out, r.err);
}

static void the_first_signal_ends_an_opening(void **state)
{
    (void)state;
    const char *model = tiny_model(1), *kept = test_path("kills/kept.safetensors");
    static const char *const files[] = {
        "/config.json", "/vocab.json", "/merges.txt", "/preprocessor_config.json", "/model.safetensors"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        stop_at(files[i], i % 2 ? SIGTERM : SIGINT, "classify -m @ --classes x,y @", model, data);
        stop_at(files[i], i % 2 ? SIGINT : SIGTERM, "inspect @", model, NULL);
    }
    stop_at("/config.json", SIGINT, "tokenize -m @ @", model, "a");
    stop_at("/config.json", SIGINT, "encode -m @ --text a -o @", model, test_path("kills/none.npy"));
    stop_at("/config.json", SIGTERM, "pack -m @ -o @", model, test_path("kills/none.safetensors"));
    stop_at("/config.json", SIGTERM, "train -m @ -d @ -o /dev/null", model, data);
    stop_at("/config.json", SIGINT, "bench -m @", model, NULL);
    run_result r = run_mopd(NULL, "fit -q -m @ -d @ -o @", model, data, kept);
    assert_run(r, 0);
    stop_at("/kept.safetensors", SIGINT, "inspect @", kept, NULL);
    char line[700];
    snprintf(line, sizeof line, "classify -m @ -r %s @", kept);
    stop_at("/kept.safetensors", SIGTERM, line, model, data);
    r = run_mopd(NULL, "features -q -m @ -d @ -o @", model, data, kept);
    assert_run(r, 0);
    stop_at("/kept.safetensors", SIGINT, "eval -m @ -d @", model, kept);
    assert_true(
        access(test_path("kills/none.npy"), F_OK) && access(test_path("kills/none.safetensors"), F_OK));
}

/* The last test: what it gives up does not come back. */
static void an_ordinary_user_s_leftovers_go_too(void **state)
{
    (void)state;
    if (!ordinary_become()) skip();
    kill_everywhere("features -q -m @ -d @ -o @", data, "ordinary.safetensors");
    kill_everywhere("doctor -q -m @ -d @ --report @", data, "ordinary.html");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_whole),
        cmocka_unit_test(prompts_are_whole),
        cmocka_unit_test(checkpoints_are_whole),
        cmocka_unit_test(reports_are_whole),
        cmocka_unit_test(lists_are_whole),
        cmocka_unit_test(recognizers_are_whole),
        cmocka_unit_test(arrays_and_models_are_whole),
        cmocka_unit_test(what_is_written_is_synced),
        cmocka_unit_test(the_first_signal_ends_an_opening),
        cmocka_unit_test(an_ordinary_user_s_leftovers_go_too),
    };
    return cmocka_run_group_tests(tests, open_folder, NULL);
}
