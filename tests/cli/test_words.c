/* SPDX-License-Identifier: MIT
 * test_words.c - words that a user mistypes, leaves away or gives twice: "did you mean", classes that a prompt knows,
 * names that are one to a model. */
#include <jansson.h>

#include "pictures.h"
#include "support/run.h"
#include "support/tiny.h"

static void mistyped_words_are_guessed(void **state)
{
    (void)state;
    static const struct {
        const char *line, *guess; /* NULL: none is near */
    } cases[] = {
        {"clasify x.png", "(did you mean 'classify'?)"},
        {"evla", "(did you mean 'eval'?)"},
        {"Features", "(did you mean 'features'?)"},
        {"bench_new", "(did you mean 'bench-new'?)"},
        {"sing", NULL},
        {"classify --classes-file f x.png", "(did you mean '--class-file'?)"},
        {"classify --class_file=f x.png", "(did you mean '--class-file'?)"},
        {"classify --clases a,b x.png", "(did you mean '--classes'?)"},
        {"classify --templete {} x.png", "(did you mean '--template'?)"},
        {"train --epoch-number 3", NULL},
        {"train --shot-s 3", "(did you mean '--shots'?)"},
        {"train --oupput p", "(did you mean '--output'?)"},
        {"train -d d -o p --method mopd_static", "(did you mean 'mopd-static'?)"},
        {"train -d d -o p --method KgCoOp", "(did you mean 'kgcoop'?)"},
        {"bench-new -d d --methods gda,zeroshot", "(did you mean 'zero-shot'?)"},
        {"train -d d -o p --class-position frnt", "(did you mean 'front'?)"},
        {"train -d d -o p --subset bass", "(did you mean 'base'?)"},
        {"eval -d d --split tset", "(did you mean 'test'?)"},
        {"eval -d d --format jsno", "(did you mean 'json'?)"},
        {"eval -d d --precision fp32", "(did you mean 'f32'?)"},
        {"pack --dtype bf61 -o f", "(did you mean 'bf16'?)"},
        {"pack --dtype double -o f", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_result r = run_mopd(NULL, cases[i].line);
        assert_one_error(&r, 2, cases[i].guess ? cases[i].guess : "", "--help'");
        if (!cases[i].guess && strstr(r.err, "did you mean")) fail_msg("%s: %s", cases[i].line, r.err);
    }
    run_result r = run_mopd(NULL, "classify --t 3 x.png");
    assert_one_error(&r, 2, "option '--t' is ambiguous: it may be --template, ", "--top");
}

static void names_that_are_one_to_a_model_are_refused(void **state)
{
    (void)state;
    const char *picture = test_png("one.png", 20, 14, 1);
    run_result r = run_mopd(NULL, "classify -m @ --classes @ @", tiny_model(1), "Cup, dog, cup", picture);
    assert_one_error(
        &r, 1, "--classes: class 2, \"cup\", is the same words to a model as class 0, \"Cup\"", "");
    assert_string_equal(r.out, "");
    r = run_mopd(NULL, "classify -m @ --classes @ @", tiny_model(1), "ice_cream,ice cream", picture);
    assert_one_error(&r, 1, "\"ice cream\"", "\"ice_cream\"");
    r = run_mopd(NULL, "classify -m @ --classes @ @", tiny_model(1), "cat,dog,cat", picture);
    assert_one_error(&r, 1, "--classes: class 2, \"cat\", is class 0 already", "");
    const char *file = test_text("names.txt", "dog\n\nCaf\u00e9\n  \nbird\ncafe\u0301\n");
    r = run_mopd(NULL, "classify -m @ --class-file @ @", tiny_model(1), file, picture);
    assert_one_error(&r, 1, "names.txt: lines 3 and 6: class 3, ", "the same words to a model as class 1");
    r = run_mopd(&(run_setup){.in = file}, "classify -m @ --class-file - @", tiny_model(1), picture);
    assert_one_error(&r, 1, "-: class 3, ", "class 1");
    r = run_mopd(NULL, "classify -m @ --classes @ @", tiny_model(1), "a,,b", picture);
    assert_one_error(&r, 1, "--classes: class 1 has an empty name", "");
}

static void a_prompt_knows_its_classes(void **state)
{
    (void)state;
    const char *prompt = test_path("prompt.safetensors"), *picture = test_png("known/a_b/0.png", 9, 9, 1);
    test_png("known/sea lion/0.png", 9, 9, 2);
    test_png("known/Zebra/0.png", 9, 9, 3);
    run_result r = run_mopd(
        NULL, "train -m @ -d @ --method coop --epochs 2 -q -o @", tiny_model(1), test_path("known"), prompt);
    assert_run(r, 0);
    assert_string_equal(r.out, ""); /* --quiet is quiet */
    assert_string_equal(r.err, "");
    run_result a =
        run_mopd(NULL, "classify -m @ -p @ --top 3 --format json @", tiny_model(1), prompt, picture);
    assert_run(a, 0);
    run_result b = run_mopd(NULL, "classify -m @ -p @ --classes @ --top 3 --format json @", tiny_model(1),
        prompt, "Zebra,a_b,sea lion", picture);
    assert_run(b, 0);
    assert_string_equal(a.out, b.out);
    assert_has(a.out, "\"sea lion\"");
    r = run_mopd(NULL, "classify -m @ @", tiny_model(1), picture);
    assert_one_error(&r, 2, "--classes", "--class-file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistyped_words_are_guessed),
        cmocka_unit_test(names_that_are_one_to_a_model_are_refused),
        cmocka_unit_test(a_prompt_knows_its_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
