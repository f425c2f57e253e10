/* SPDX-License-Identifier: MIT
 * test_classify.c - mopd classify as a user meets it: what it prints in three formats, and how it fails. */
#include <jansson.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pictures.h"
#include "support/run.h"
#include "support/siglip.h"
#include "support/tiny.h"

static json_t *parse(const run_result *r)
{
    json_error_t error;
    json_t *document = json_loads(r->out, JSON_REJECT_DUPLICATES, &error);
    if (!document) fail_msg("no JSON: %s in: %.2000s", error.text, r->out);
    return document;
}

/* What the library itself says of a picture: all classes, best first. */
static void ask_library(const char *picture, const char *const *classes, size_t n, mopd_match *match)
{
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_bank *bank;
    mopd_image *image;
    float feature[TINY_DIM];
    assert_ok(mopd_bank_create(&bank, encoder, classes, n, NULL, 0));
    assert_ok(mopd_image_open(&image, picture, NULL));
    assert_ok(mopd_encoder_encode_images(encoder, (const mopd_image *const *)&image, 1, feature));
    assert_ok(mopd_bank_top(bank, feature, 1, n, match));
    mopd_image_close(image);
    mopd_bank_free(bank);
    mopd_encoder_close(encoder);
}

static void classify_json_is_what_the_library_says(void **state)
{
    (void)state;
    static const char *const classes[] = {"cat", "dog", "sea lion"};
    const char *picture = test_png("one.png", 20, 14, 1);
    mopd_match want[3];
    ask_library(picture, classes, 3, want);
    run_result r = run_mopd(NULL, "classify -m @ --classes @ --top 9 --format json @", tiny_model(1),
        "cat, dog ,sea lion", picture);
    assert_run(r, 0);
    assert_string_equal(r.err, "");
    json_t *document = parse(&r), *results = json_object_get(document, "results");
    assert_int_equal(json_object_size(document), 1);
    assert_int_equal(json_array_size(results), 1);
    json_t *one = json_array_get(results, 0), *top = json_object_get(one, "top");
    assert_string_equal(json_string_value(json_object_get(one, "image")), picture);
    assert_int_equal(json_array_size(top), 3);
    double sum = 0;
    for (size_t i = 0; i < 3; i++) {
        json_t *m = json_array_get(top, i);
        assert_int_equal(json_object_size(m), 4);
        assert_string_equal(json_string_value(json_object_get(m, "class")), classes[want[i].index]);
        assert_int_equal(json_integer_value(json_object_get(m, "index")), want[i].index);
        double p = json_real_value(json_object_get(m, "probability")),
               logit = json_real_value(json_object_get(m, "logit"));
        assert_true((float)p == want[i].probability); /* to the bit: the shortest text that reads back */
        assert_true((float)logit == want[i].logit);
        sum += p;
    }
    assert_true(fabs(sum - 1) < 1e-5);
    json_decref(document);
}

/* Of a model with a logit bias: each class as it is alone; other models and recognisers say what they lack. */
static void sigmoids_do_not_share(void **state)
{
    (void)state;
    const char *model = siglip_folder(5), *picture = test_png("one.png", 20, 14, 1);
    double p[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        run_result r = run_mopd(NULL, "classify -m @ --sigmoid --classes @ --top 9 --format json @", model,
            k ? "dog" : "cat,dog,red fox", picture);
        assert_run(r, 0);
        json_t *document = parse(&r), *top;
        top = json_object_get(json_array_get(json_object_get(document, "results"), 0), "top");
        for (size_t i = 0; i < json_array_size(top); i++) {
            json_t *m = json_array_get(top, i);
            const double x = json_real_value(json_object_get(m, "probability")),
                         logit = json_real_value(json_object_get(m, "logit"));
            assert_true(fabs(x - 1 / (1 + exp(1.5 - logit))) < 1e-6);
            if (!strcmp(json_string_value(json_object_get(m, "class")), "dog")) p[k] = x;
        }
        assert_int_equal(json_array_size(top), k ? 1 : 3);
        json_decref(document);
    }
    assert_true(p[0] == p[1] && p[0] > 0);
    run_result r = run_mopd(NULL, "classify -m @ --sigmoid --classes cat,dog @", tiny_model(1), picture);
    assert_run(r, 1);
    assert_non_null(strstr(r.err, "--sigmoid: the model has no logit bias"));
    r = run_mopd(NULL, "classify -m @ --sigmoid -r x.safetensors @", tiny_model(1), picture);
    assert_run(r, 2);
    assert_non_null(strstr(r.err, "--sigmoid goes with names or -p"));
}

static void classify_shows_one_class_by_default(void **state)
{
    (void)state;
    run_result r = run_mopd(NULL, "classify -m @ --classes cat,dog --format json @", tiny_model(1),
        test_png("one.png", 20, 14, 1));
    assert_run(r, 0);
    json_t *document = parse(&r);
    json_t *top = json_object_get(json_array_get(json_object_get(document, "results"), 0), "top");
    assert_int_equal(json_array_size(top), 1);
    json_decref(document);
}

/* A softmax over one class says nothing: that is said, but not to who asked for quiet. */
static void one_class_alone_is_remarked(void **state)
{
    (void)state;
    const char *picture = test_png("alone.png", 20, 14, 1);
    run_result r = run_mopd(NULL, "classify -m @ --classes cat @", tiny_model(1), picture);
    assert_run(r, 0);
    assert_has(r.err, "one class alone always has 100%");
    assert_has(r.err, "mopd fit");
    r = run_mopd(NULL, "classify -m @ --classes cat -q @", tiny_model(1), picture);
    assert_run(r, 0);
    assert_string_equal(r.err, "");
}

static void one_bad_picture_and_the_rest_go_on(void **state)
{
    (void)state;
    const char *good = test_png("good.png", 9, 9, 2), *text = test_text("page.jpg", "this is no picture\n");
    run_result r = run_mopd(NULL, "classify -m @ --classes cat,dog --format json @ @ @", tiny_model(1), text,
        test_path("absent.png"), good);
    assert_run(r, 1);
    assert_has(r.err, "mopd: error: ");
    assert_has(r.err, "page.jpg: not JPEG, PNG");
    assert_has(r.err, "absent.png");
    json_t *document = parse(&r), *results = json_object_get(document, "results");
    assert_int_equal(json_array_size(results), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *one = json_array_get(results, i);
        assert_int_equal(json_object_size(one), 2);
        assert_true(json_is_string(json_object_get(one, "image")));
        assert_true(json_is_string(json_object_get(one, "error")) == (i < 2));
        assert_true(json_is_array(json_object_get(one, "top")) == (i == 2));
    }
    json_decref(document);
}

static void each_bad_picture_is_named_with_its_reason(void **state)
{
    (void)state;
    static unsigned char bytes[65536];
    const char *png = test_png("whole.png", 40, 40, 3);
    FILE *f = fopen(png, "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    const char *cut = test_write("cut.png", bytes, n / 2);
    memcpy(bytes + 16, "\0\0\xea\x60\0\0\xea\x60", 8); /* 60000 x 60000; with its check sum */
    memcpy(bytes + 29, "\x0f\xb0\xe2\x15", 4);
    const char *bomb = test_write("bomb.png", bytes, n);
    f = fopen(MOPD_TEST_DIR "/gold/pixels/420.jpg", "rb");
    assert_non_null(f);
    n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    const char *cut_jpeg = test_write("cut.jpg", bytes, n * 2 / 3);
    const char *empty = test_write("empty.png", "", 0);
    const struct {
        const char *path, *words;
    } cases[] = {{cut, "cut.png"}, {bomb, "60000 x 60000"}, {cut_jpeg, "cut.jpg"}, {empty, "empty.png"},
        {test_folder("locked/x.png"), "no picture (.jpg, .png and so on)"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_result r = run_mopd(NULL, "classify -m @ --classes cat,dog @", tiny_model(1), cases[i].path);
        assert_one_error(&r, 1, cases[i].words, strrchr(cases[i].path, '/') + 1);
        assert_string_equal(r.out, "");
    }
}

/* Pipes, sockets and devices among the pictures are named; nothing waits for them, and the rest is done. */
static void pipes_and_devices_are_named_and_the_rest_go_on(void **state)
{
    (void)state;
    const char *folder = test_path("odd");
    test_png("odd/b.png", 20, 14, 1);
    assert_int_equal(mkfifo(test_path("odd/a.jpg"), 0600), 0);
    assert_int_equal(symlink("/dev/zero", test_path("odd/c.png")), 0);
    run_result r = run_mopd(&(run_setup){0}, "classify -m @ --classes cat,dog @", tiny_model(1), folder);
    assert_run(r, 1);
    assert_non_null(strstr(r.out, "b.png"));
    assert_non_null(strstr(r.err, "odd/a.jpg: is a pipe, a regular file is needed"));
    assert_non_null(strstr(r.err, "odd/c.png: is a device, a regular file is needed"));
    r = run_mopd(
        &(run_setup){0}, "classify -m @ --classes cat,dog -d @", tiny_model(1), test_path("odd/a.jpg"));
    assert_run(r, 1);
    assert_non_null(strstr(r.err, "is a pipe"));
}

/* Links that lead back to a folder above are passed over, however many ways they open. */
static void links_may_lead_in_rings(void **state)
{
    (void)state;
    test_png("ring/a/1.png", 8, 8, 1);
    assert_int_equal(symlink("..", test_path("ring/a/up")), 0);
    assert_int_equal(symlink(".", test_path("ring/a/x")), 0);
    assert_int_equal(symlink(".", test_path("ring/a/y")), 0);
    run_result r = run_mopd(NULL, "classify -m @ --classes cat,dog @", tiny_model(1), test_path("ring"));
    assert_run(r, 0);
    const char *first = strstr(r.out, "1.png");
    assert_non_null(first);
    assert_null(strstr(first + 1, "1.png"));
}

static void folders_are_walked_in_byte_order(void **state)
{
    (void)state;
    test_png("tree/b/2.PNG", 8, 8, 1);
    test_png("tree/a.png", 8, 8, 2);
    test_png("tree/b/1.png", 8, 8, 3);
    test_png("tree/Z/no picture.jpeg", 8, 8, 4); /* a PNG: content tells, not the name */
    test_png("tree/z/camera.JFIF", 8, 8, 5);
    test_png("tree/z/moving.apng", 8, 8, 6);
    test_png("tree/.hidden.png", 8, 8, 5);
    test_text("tree/notes.txt", "left alone");
    run_result r =
        run_mopd(NULL, "classify -m @ --classes cat,dog --format csv @", tiny_model(1), test_path("tree"));
    assert_run(r, 0);
    static const char *const want[] = {"Z/no picture.jpeg,1,", "a.png,1,", "b/1.png,1,", "b/2.PNG,1,",
        "z/camera.JFIF,1,", "z/moving.apng,1,"};
    const char *at = r.out;
    assert_int_equal(strncmp(at, "image,rank,class,index,probability,logit,error\r\n", 48), 0);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        at = strstr(at, want[i]);
        if (!at) fail_msg("%s is missing or out of order in: %s", want[i], r.out);
    }
    assert_null(strstr(r.out, "hidden"));
    assert_null(strstr(r.out, "notes"));
}

static void names_with_spaces_commas_and_utf8(void **state)
{
    (void)state;
    const char *picture = test_png("dos gatos, \xe7\x8c\xab.png", 8, 8, 1);
    run_result r = run_mopd(NULL, "classify -m @ --classes @ --format csv @", tiny_model(1),
        "\xe7\x8c\xab,\xc3\xa9t\xc3\xa9 \"x\"", picture);
    assert_run(r, 0);
    assert_has(r.out, "dos gatos, \xe7\x8c\xab.png\",1,");
    r = run_mopd(NULL, "classify -m @ --classes @ --top 2 --format json @", tiny_model(1),
        "\xe7\x8c\xab,\xc3\xa9t\xc3\xa9 \"x\"", picture);
    assert_run(r, 0);
    json_decref(parse(&r));
    r = run_mopd(NULL, "classify -m @ --classes cat,dog --format json @", tiny_model(1),
        test_png("latin \xe9.png", 8, 8, 1));
    assert_run(r, 0); /* a name that is no UTF-8 must not break the document */
    json_decref(parse(&r));
}

static void text_is_a_table(void **state)
{
    (void)state;
    run_result r = run_mopd(
        NULL, "classify -m @ --classes cat,dog --top 2 @", tiny_model(1), test_png("one.png", 20, 14, 1));
    assert_run(r, 0);
    assert_int_equal(strncmp(r.out, "image", 5), 0);
    assert_has(r.out, "probability\n");
    assert_has(r.out, "cat");
    assert_has(r.out, "dog");
    assert_has(r.out, "%\n");
}

static void class_and_template_files_equal_the_options(void **state)
{
    (void)state;
    const char *picture = test_png("one.png", 20, 14, 1);
    const char *classes =
        test_text("classes.txt", "\xef\xbb\xbf"
                                 "cat\r\n\r\n  dog \nsea lion"); /* BOM, CRLF, empty line, no end */
    const char *templates = test_text("templates.txt", "a {}\n{} of {}\n");
    run_result a = run_mopd(NULL, "classify -m @ --class-file @ --template-file @ --top 3 --format json @",
        tiny_model(1), classes, templates, picture);
    assert_run(a, 0);
    run_result b =
        run_mopd(NULL, "classify -m @ --classes @ --template @ --template @ --top 3 --format json @",
            tiny_model(1), "cat,dog,sea lion", "a {}", "{} of {}", picture);
    assert_run(b, 0);
    assert_string_equal(a.out, b.out);
    run_result c = run_mopd(&(run_setup){.in = classes},
        "classify -m @ --class-file - --template @ --template @ --top 3 --format json @", tiny_model(1),
        "a {}", "{} of {}", picture);
    assert_run(c, 0);
    assert_string_equal(c.out, b.out);
}

static void bad_classes_and_templates_are_named(void **state)
{
    (void)state;
    const char *m = tiny_model(1), *picture = test_png("one.png", 20, 14, 1);
    run_result r =
        run_mopd(NULL, "classify -m @ --class-file @ @", m, test_text("none.txt", "\n \n"), picture);
    assert_one_error(&r, 1, "none.txt", "no class");
    r = run_mopd(NULL, "classify -m @ --classes @ @", m, "", picture);
    assert_one_error(&r, 1, "class", "empty");
    r = run_mopd(NULL, "classify -m @ --classes cat,dog,cat @", m, picture);
    assert_one_error(&r, 1, "class 2, \"cat\"", "class 0");
    r = run_mopd(NULL, "classify -m @ --classes cat,,dog @", m, picture);
    assert_one_error(&r, 1, "class 1", "empty");
    r = run_mopd(NULL, "classify -m @ --classes cat,dog --template @ @", m, "a photo", picture);
    assert_one_error(&r, 1, "{}", "a photo");
    r = run_mopd(
        NULL, "classify -m @ --classes cat,dog --template-file @ @", m, test_path("absent.txt"), picture);
    assert_one_error(&r, 1, "absent.txt", "No such file");
    r = run_mopd(NULL, "classify -m @ --classes cat,dog --template-file @ @", m,
        test_text("bad.txt", "a {}\n\na photo\n"), picture);
    assert_one_error(&r, 1, "bad.txt: line 3: \"a photo\" has no {}", "class name");
    r = run_mopd(
        NULL, "classify -m @ --classes cat,dog --template-file @ @", m, test_text("none.txt", "\n"), picture);
    assert_one_error(&r, 1, "none.txt", "no template");
    r = run_mopd(NULL, "classify -m @ --classes @ @", m, "cat,ab\xff", picture);
    assert_one_error(&r, 1, "UTF-8", "byte 2");
    r = run_mopd(NULL, "classify -m @ --classes @ @", m, "cat,abcdefghijklmnopqrstuvwxyz", picture);
    assert_one_error(&r, 1, "tokens", "24");
}

static void any_threads_give_the_same_output(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/%02u.png", (unsigned)i);
        test_png(name, 5 + i % 7, 31 - i, i);
    }
    run_result r[3];
    for (int t = 0; t < 3; t++) {
        static const char *const counts[] = {"1", "2", "3"};
        r[t] = run_mopd(NULL, "classify -m @ --classes cat,dog --top 2 --threads @ --format json @",
            tiny_model(1), counts[t], test_path("many"));
        assert_run(r[t], 0);
    }
    assert_string_equal(r[0].out, r[1].out);
    assert_string_equal(r[0].out, r[2].out);
}

/* Results enough to fill standard output, which is read up to the first only until the signal has come; what
 * was reached is whole JSON. */
static void interrupt_prints_what_was_reached(void **state)
{
    (void)state;
    char name[32];
    for (uint32_t i = 0; i < 400; i++) {
        snprintf(name, sizeof name, "long/%03u.png", (unsigned)i);
        test_png(name, 14, 14, i);
    }
    const char *d = test_path("long");
    run_result r = run_mopd(&(run_setup){.interrupt_at = "\"top\""},
        "classify -m @ --classes cat,dog --format json @ @ @ @", tiny_model(1), d, d, d, d);
    assert_run(r, 130);
    assert_string_equal(r.err, "");
    json_t *document = parse(&r);
    size_t n = json_array_size(json_object_get(document, "results"));
    assert_true(n > 0 && n < 1600);
    json_decref(document);
}

/* Class names are awaited that never come. */
static void interrupt_ends_the_reading_of_names(void **state)
{
    (void)state;
    char in[32];
    const char *fifo = test_path("fifo"), *picture = test_png("one.png", 20, 14, 1);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const int fd = open(fifo, O_RDWR); /* so that nobody waits for its other end */
    assert_int_equal(write(fd, "cat\n", 4), 4);
    snprintf(in, sizeof in, "/dev/fd/%d", fd);
    run_result r = run_mopd(&(run_setup){.in = in, .interrupt_at = fifo}, "classify -m @ --class-file - @",
        tiny_model(1), picture);
    close(fd);
    assert_run(r, 130);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "");
}

static const char *numbered_lines(const char *name, const char *rest)
{
    const char *path = test_path(name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 50000; i++) fprintf(f, "%d%s\n", i, rest);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* 2500 million prompts, an hour's work: the end comes by the signal alone, and there is nothing to keep.  Half
 * a second of processor time is many times what it takes to come to the first prompt. */
static void interrupt_ends_the_encoding_of_prompts(void **state)
{
    (void)state;
    run_result r =
        run_mopd(&(run_setup){.interrupt_cpu = 0.5}, "classify -m @ --template-file @ --class-file @ @",
            tiny_model(1), numbered_lines("templates.txt", "{}"), numbered_lines("classes.txt", ""),
            test_png("one.png", 20, 14, 1));
    assert_run(r, 130);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "");
}

static void output_that_cannot_be_written(void **state)
{
    (void)state;
    const char *m = tiny_model(1), *picture = test_png("one.png", 20, 14, 1);
    static const char *const formats[] = {"json", "csv", "text"};
    for (int i = 0; i < 3; i++) {
        run_result r = run_mopd(&(run_setup){.out = "/dev/full"},
            "classify -m @ --classes cat,dog --format @ @", m, formats[i], picture);
        assert_one_error(&r, 1, "cannot write", "No space left");
        r = run_mopd(&(run_setup){.closed_pipe = true}, "classify -m @ --classes cat,dog --format @ @", m,
            formats[i], picture);
        assert_one_error(&r, 1, "cannot write", "Broken pipe");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classify_json_is_what_the_library_says),
        cmocka_unit_test(sigmoids_do_not_share),
        cmocka_unit_test(classify_shows_one_class_by_default),
        cmocka_unit_test(one_class_alone_is_remarked),
        cmocka_unit_test(one_bad_picture_and_the_rest_go_on),
        cmocka_unit_test(each_bad_picture_is_named_with_its_reason),
        cmocka_unit_test(pipes_and_devices_are_named_and_the_rest_go_on),
        cmocka_unit_test(links_may_lead_in_rings),
        cmocka_unit_test(folders_are_walked_in_byte_order),
        cmocka_unit_test(names_with_spaces_commas_and_utf8),
        cmocka_unit_test(text_is_a_table),
        cmocka_unit_test(class_and_template_files_equal_the_options),
        cmocka_unit_test(bad_classes_and_templates_are_named),
        cmocka_unit_test(any_threads_give_the_same_output),
        cmocka_unit_test(interrupt_prints_what_was_reached),
        cmocka_unit_test(interrupt_ends_the_reading_of_names),
        cmocka_unit_test(interrupt_ends_the_encoding_of_prompts),
        cmocka_unit_test(output_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
