/* SPDX-License-Identifier: MIT
 * test_kills.c - every command that writes, killed at one point after another of its writing: what was there is whole, or
 * what comes is, and the next run leaves nothing behind.  The points are counted, not timed (support/alone/kill_at.c). */
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/labelled.h"

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

/* How many things the command does to files that it writes. */
static long count_points(const char *line, const char *more, const char *target)
{
    const char *path = test_path("count");
    setenv("MOPD_KILL_COUNT", path, 1);
    const run_result r = run_until(LONG_MAX, line, more, target);
    unsetenv("MOPD_KILL_COUNT");
    assert_run(r, 0);
    char *text = test_read(path);
    const long n = atol(text);
    free(text);
    return n;
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
    };
    return cmocka_run_group_tests(tests, open_folder, NULL);
}
