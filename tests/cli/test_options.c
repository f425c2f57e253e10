/* SPDX-License-Identifier: MIT
 * test_options.c - what holds for every subcommand: help, version, short forms, "--", wrong usage, unknown models. */
#include "pictures.h"

#include "support/run.h"
#include "support/tiny.h"

static const char *const commands[] = {"classify", "fit", "train", "eval", "bench-new", "features", "encode",
    "preprocess", "tokenize", "inspect", "pack", "bench"};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void help_and_version_go_to_standard_output(void **state)
{
    (void)state;
    run_result r = run_mopd(NULL, "--version");
    assert_run(r, 0);
    assert_int_equal(strncmp(r.out, "mopd " MOPD_VERSION_STRING "\n", 6 + sizeof MOPD_VERSION_STRING - 1), 0);
    r = run_mopd(NULL, "--help");
    assert_run(r, 0);
    for (size_t i = 0; i < N_COMMANDS; i++) assert_has(r.out, commands[i]);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        r = run_mopd(NULL, "@ --help", commands[i]);
        assert_run(r, 0);
        assert_string_equal(r.err, "");
        assert_has(r.out, "Usage: mopd ");
        assert_has(r.out, "Options:");
        assert_has(r.out, "Examples:");
        assert_has(r.out, "--model MODEL");
        assert_has(r.out, "--format");
        assert_has(r.out, "--threads");
        assert_has(r.out, "--precision");
        assert_has(r.out, "--quiet");
        if (strstr(r.out, ") (default")) fail_msg("mopd %s --help tells a default twice", commands[i]);
    }
}

/* The line of an option in a help text, copied; false where it has none. */
static bool help_line(const char *help, const char *setting, char *out, size_t room)
{
    char option[80];
    snprintf(option, sizeof option, " --%s ", setting);
    for (char *at = option; *at; at++)
        if (*at == '_') *at = '-';
    const char *at = strstr(help, option);
    if (at) snprintf(out, room, "%.*s", (int)strcspn(at, "\n"), at);
    return at != NULL;
}

/* What the library says of a setting stands in the help, its numbers too: there are no others. */
static void help_shows_the_library_s_defaults_and_limits(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "train --help", "train --epochs 7 --w 0.25 --shots 3 --help", "bench-new --help"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_result r = run_mopd(NULL, lines[i]);
        assert_run(r, 0);
        assert_has(r.out, "(default: 16)"); /* shots, which the command alone presets */
        mopd_setting s = {.struct_size = sizeof s};
        int shown = 0;
        for (size_t k = 0; mopd_setting_get(k, &s) == MOPD_OK; k++) {
            char line[512], want[256], number[32];
            if (!strcmp(s.name, "seed") || !help_line(r.out, s.name, line, sizeof line)) continue;
            assert_has(line, s.text);
            snprintf(number, sizeof number, "%g", s.preset);
            snprintf(want, sizeof want, "(default: %s; from %.7g to %.7g)", s.open ? s.open : number, s.least,
                s.most);
            if (s.kind == MOPD_SETTING_COUNT || s.kind == MOPD_SETTING_REAL) assert_has(line, want);
            snprintf(want, sizeof want, "(default: %s)", s.choices ? s.choices[(size_t)s.preset] : "");
            if (s.kind == MOPD_SETTING_CHOICE) assert_has(line, want);
            shown++;
        }
        assert_int_equal(shown, i < 2 ? 14 : 9);
    }
}

static void wrong_usage_is_exit_2_and_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *line, *word, *word2;
    } cases[] = {
        {"", "no subcommand", "--help"},
        {"clasify x.png", "clasify", "unknown subcommand"},
        {"classify x.png", "--classes", "--class-file"},
        {"classify --classes a,b", "no pictures", "mopd classify --help"},
        {"classify --classes a,b --class-file f x.png", "exclude", "--class-file"},
        {"classify --classes a,b --top 0 x.png", "--top", "1"},
        {"classify --classes a,b --top -1 x.png", "--top '-1'", "not a whole number, 0 or more;"},
        {"fit -d d -o r --seed 99999999999999999999", "--seed '99999999999999999999'", "too large"},
        {"search -d d --text=", "--text ''", "say what"},
        {"classify --classes a,b --top x.png", "--top", "x.png"},
        {"classify --classes a,b --format xml x.png", "--format", "xml"},
        {"classify --classes a,b --precision f8 x.png", "--precision", "f8"},
        {"classify --classes a,b --threads 2000 x.png", "--threads 2000", "1024"},
        {"classify -r r --set 0 x.png", "--set 0", "less than 1"},
        {"classify --classes a,b --set 0 x.png", "--set", "-r RECOGNIZER"},
        {"fit -d d -o r --keep 1", "--keep 1:", "more than 0 and less than 1"},
        {"fit -d d -o r --shots 4294967296", "--shots 4294967296", "4294967295"},
        {"bench --seconds -1", "--seconds -1", "from 0 to 3600"},
        {"classify --no-such x.png", "--no-such", "unknown"},
        {"classify --t 3 x.png", "--t", "ambiguous"},
        {"classify --quiet=3 x.png", "--quiet", "no argument"},
        {"classify -z x.png", "-z", "unknown"},
        {"classify --classes", "--classes", "needs an argument"},
        {"encode -o f.npy", "--image", "--text"},
        {"encode --text a", "-o", "OUT.npy"},
        {"encode --text a --image b -o f.npy", "one of", "--text"},
        {"preprocess -o f.npy", "one picture", "0"},
        {"preprocess a b -o f.npy", "one picture", "2"},
        {"preprocess a", "-o", "OUT.npy"},
        {"tokenize", "no text", "mopd tokenize"},
        {"inspect a b", "one path", "2"},
        {"pack x -o f", "x", "left over"},
        {"pack", "-o", "FILE"},
        {"pack --dtype f8 -o f", "--dtype", "f8"},
        {"bench x", "x", "left over"},
        {"train", "-o", "PROMPT"},
        {"train -o p", "-d", "DATA"},
        {"train -d d -o p --method zzz", "zzz", "mopd"},
        {"train -d d -o p --shots many", "--shots", "many"},
        {"train -d d -o p --lr fast", "--lr", "fast"},
        {"train -d d -o p --subset half", "half", "base"},
        {"train -d d -o p --epochs 0", "--epochs", "from 1 to 1048576"},
        {"train -d d -o p --epochs 1048577", "--epochs", "from 1 to 1048576"},
        {"train -d d -o p --w 1.5", "--w 1.5", "from 0 to 1"},
        {"train -d d -o p --lambda -2", "--lambda -2", "from 0"},
        {"train -d d -o p --class-position left", "left", "end, middle, front"},
        {"train -d d -o p --shots 4294967296", "--shots", "4294967295"},
        {"train -d d -o p --memory 18446744073709551615", "--memory", "MB"},
        {"bench-new -d d --batch 0", "--batch", "from 1"},
        {"train -d d -o p --views some", "--views", "some"},
        {"eval", "-d", "DATA"},
        {"eval -d d --split most", "most", "test"},
        {"eval -d d -p p --template {}", "-p", "template"},
        {"bench-new", "-d", "DATA"},
        {"bench-new -d d --methods zzz", "zzz", "mopd"},
        {"bench-new -d d --seeds a", "a", "seed"},
        {"features -o s", "-d", "DATA"},
        {"features -d d", "-o", "STORE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_result r = run_mopd(NULL, cases[i].line);
        if (r.status != 2) print_message("mopd %s\n", cases[i].line);
        assert_one_error(&r, 2, cases[i].word, cases[i].word2);
        assert_string_equal(r.out, "");
    }
}

static void shortest_unique_forms_are_enough(void **state)
{
    (void)state;
    const char *m = tiny_model(1), *picture = test_png("one.png", 20, 14, 1);
    run_result a = run_mopd(
        NULL, "classify --model @ --classes cat,dog --top 2 --format json --threads 2 --quiet @", m, picture);
    assert_run(a, 0);
    run_result b =
        run_mopd(NULL, "classify @ --mo @ --classes=cat,dog --to=2 --form=json --th 2 --q", picture, m);
    assert_run(b, 0);
    assert_string_equal(a.out, b.out);
    run_result c = run_mopd(NULL, "classify -m@ --classes cat,dog --to 2 --fo json -q @", m, picture);
    assert_run(c, 0);
    assert_string_equal(a.out, c.out);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    run_result r = run_mopd(NULL, "tokenize -m @ --format csv -- --format json", tiny_model(1));
    assert_run(r, 0);
    size_t lines = 0;
    for (const char *p = r.out; *p; p++) lines += *p == '\n';
    assert_int_equal(lines, 2);
    r = run_mopd(NULL, "classify -m @ --classes cat,dog -- --top", tiny_model(1));
    assert_one_error(&r, 1, "--top", "No such file");
}

static void models_that_do_not_open_are_named(void **state)
{
    (void)state;
    static const char *const lines[] = {"classify -m @ --classes a,b x.png", "encode -m @ --text a -o f.npy",
        "preprocess -m @ x.png -o f.npy", "tokenize -m @ a", "inspect @", "pack -m @ -o f", "bench -m @"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_result r = run_mopd(NULL, lines[i], test_path("no-model"));
        assert_one_error(&r, 1, "no-model", "No such file");
        r = run_mopd(NULL, lines[i], test_folder("empty-model"));
        assert_one_error(&r, 1, "empty-model", "config.json");
        r = run_mopd(NULL, lines[i], test_text("text-model", "no model at all"));
        assert_one_error(&r, 1, "text-model", "a text, where weights are wanted");
        r = run_mopd(NULL, lines[i], test_png("seen.png", 9, 9, 1));
        assert_one_error(&r, 1, "seen.png: a PNG picture", "");
    }
}

static void every_output_notices_a_full_disk(void **state)
{
    (void)state;
    const char *m = tiny_model(1);
    static const char *const lines[] = {
        "tokenize -m @ a", "tokenize -m @ --format json a", "inspect @", "inspect --format json @"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_result r = run_mopd(&(run_setup){.out = "/dev/full"}, lines[i], m);
        assert_one_error(&r, 1, "cannot write", "No space left");
    }
    run_result r = run_mopd(&(run_setup){.out = "/dev/full"}, "--help");
    assert_one_error(&r, 1, "cannot write", "No space left");
    r = run_mopd(&(run_setup){.out = "/dev/full"}, "classify --help");
    assert_one_error(&r, 1, "cannot write", "No space left");
}

/* A variable that chooses how to compute, and a word it does not know. */
static void check_choice(const char *name, const char *wrong)
{
    char *kept = getenv(name), ignored[40];
    kept = kept ? strdup(kept) : NULL;
    setenv(name, wrong, 1);
    run_result r = run_mopd(NULL, "tokenize -m @ a", tiny_model(1));
    assert_one_error(&r, 1, name, wrong);
    r = run_mopd(NULL, "--version");
    assert_run(r, 0);
    snprintf(ignored, sizeof ignored, "%s ignored", name);
    assert_has(r.out, ignored);
    setenv(name, "", 1);
    r = run_mopd(NULL, "tokenize -m @ a", tiny_model(1));
    assert_run(r, 0);
    r = run_mopd(NULL, "--version");
    if (strstr(r.out, ignored)) fail_msg("an empty %s asks for nothing: %s", name, r.out);
    if (kept)
        setenv(name, kept, 1);
    else
        unsetenv(name);
    free(kept);
}

static void a_cpu_path_that_is_not_there_is_told(void **state)
{
    (void)state;
    check_choice("MOPD_CPU", "axv2");
    check_choice("MOPD_BF16", "one_dnn");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_version_go_to_standard_output),
        cmocka_unit_test(help_shows_the_library_s_defaults_and_limits),
        cmocka_unit_test(wrong_usage_is_exit_2_and_one_line),
        cmocka_unit_test(shortest_unique_forms_are_enough),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(models_that_do_not_open_are_named),
        cmocka_unit_test(every_output_notices_a_full_disk),
        cmocka_unit_test(a_cpu_path_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
