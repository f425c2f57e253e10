/* SPDX-License-Identifier: MIT
 * test_ordinary.c - the command in the hands of an ordinary user: what he may not read, list or write is named, and the rest
 * goes on. */
#include <sys/socket.h>
#include <sys/un.h>

#include "support/labelled.h"
#include "support/ordinary.h"

static bool ordinary;

#define ORDINARY()                                                                                           \
    do {                                                                                                     \
        (void)state;                                                                                         \
        if (!ordinary) skip();                                                                               \
    } while (0)

static void make_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = test_path(name);
    assert_true(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_false(bind(fd, (const struct sockaddr *)&address, sizeof address));
    close(fd);
}

static void set_mode(const char *name, mode_t mode)
{
    if (chmod(test_path(name), mode)) fail_msg("chmod %s", name);
}

/* Every kind of file that may stand in a folder, among pictures. */
static const char *make_odd_folder(void)
{
    static const char *const links[][2] = {
        {"/dev/zero", "odd/h.png"}, {"nowhere", "odd/i.png"}, {".", "odd/ring"}, {"j.png", "odd/j.png"}};
    test_png("odd/a.png", 20, 14, 1);
    test_png("odd/b.png", 20, 14, 2);
    test_png("odd/closed/c.png", 20, 14, 3);
    test_png("odd/listed/d.png", 20, 14, 4);
    test_png("odd/entered/e.png", 20, 14, 5);
    test_png("odd/z/z.png", 20, 14, 6);
    assert_false(mkfifo(test_path("odd/f.png"), 0600));
    make_socket("odd/g.png");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        assert_false(symlink(links[i][0], test_path(links[i][1])));
    set_mode("odd/b.png", 0);
    set_mode("odd/closed", 0);
    set_mode("odd/listed", 0444);
    set_mode("odd/entered", 0111);
    return test_path("odd");
}

static void open_odd_folder(void)
{
    set_mode("odd/closed", 0700);
    set_mode("odd/listed", 0700);
    set_mode("odd/entered", 0700);
}

static const char *const reasons[] = {"odd/b.png: cannot open: Permission denied",
    "odd/closed: cannot list: Permission denied", "odd/listed/d.png: cannot be looked at: Permission denied",
    "odd/entered: cannot list: Permission denied", "odd/f.png: is a pipe", "odd/g.png: is a socket",
    "odd/h.png: is a device"};

/* Both good pictures are answered; whatever else is there is named, or counted. */
static void check_odd(const run_result *r)
{
    assert_run(*r, 1);
    assert_has(r->out, "odd/a.png");
    assert_has(r->out, "odd/z/z.png");
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) assert_has(r->err, reasons[i]);
    assert_has(r->err, "2 .png files were passed over: i.png and others");
}

static void what_may_not_be_read_is_named_and_the_rest_go_on(void **state)
{
    ORDINARY();
    const char *folder = make_odd_folder();
    run_result r = run_mopd(NULL, "classify -m @ --classes cat,dog @", tiny_model(1), folder);
    check_odd(&r);
    r = run_mopd(NULL, "classify -m @ --classes cat,dog --format csv @", tiny_model(1), folder);
    check_odd(&r);
    r = run_mopd(NULL, "classify -q -m @ --classes cat,dog --format json @", tiny_model(1), folder);
    assert_run(r, 1);
    json_t *document = labelled_json(&r);
    assert_int_equal(json_array_size(json_object_get(document, "results")), 6);
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(json_object_get(document, "remarks")); i++) {
        const json_t *one = json_array_get(json_object_get(document, "remarks"), i);
        n += !strcmp(json_string_value(json_object_get(one, "kind")), "unreadable");
    }
    assert_int_equal(n, 3);
    json_decref(document);
    const char *rows = test_path("rows.npy");
    r = run_mopd(NULL, "encode -m @ --skip-bad --image @ -o @", tiny_model(1), folder, rows);
    assert_run(r, 1);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) assert_has(r.err, reasons[i]);
    assert_false(access(rows, R_OK));
    const char *store = test_path("odd.safetensors");
    r = run_mopd(NULL, "features -m @ --skip-bad --unlabelled -d @ -o @", tiny_model(1), folder, store);
    assert_run(r, 1);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) assert_has(r.err, reasons[i]);
    assert_false(access(store, R_OK));
    open_odd_folder();
}

/* Nothing is learned from a part of the data without a word. */
static void class_folders_that_may_not_be_read_are_errors(void **state)
{
    ORDINARY();
    const char *data = labelled_data("classes");
    static const char *const lines[] = {"fit -m @ -d @ -o /dev/null", "train -m @ -d @ -o /dev/null",
        "eval -m @ -d @", "features -m @ --skip-bad -d @ -o /dev/null"};
    set_mode("classes/train/b", 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_result r = run_mopd(NULL, lines[i], tiny_model(1), data);
        assert_one_error(&r, 1, "classes/train/b", "Permission denied");
    }
    set_mode("classes/train/b", 0444);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_result r = run_mopd(NULL, lines[i], tiny_model(1), data);
        assert_one_error(&r, 1, "classes/train/b", "Permission denied");
    }
    set_mode("classes/train/b", 0700);
    set_mode("classes/train/b/1.png", 0);
    run_result r = run_mopd(NULL, "fit -q -m @ -d @ -o /dev/null", tiny_model(1), data);
    assert_one_error(&r, 1, "classes/train/b/1.png", "Permission denied");
    r = run_mopd(NULL, "fit -m @ --skip-bad -d @ -o /dev/null", tiny_model(1), data);
    assert_run(r, 0);
    assert_has(r.err, "b/1.png: cannot open: Permission denied");
}

/* Runs a line whose first file, at `name`, has no mode that lets it be read. */
static void refuse(const char *name, const char *line, const char *a, const char *b, const char *c)
{
    char path[600];
    snprintf(path, sizeof path, "%s", name);
    if (chmod(path, 0)) fail_msg("chmod %s", path);
    run_result r = run_mopd(NULL, line, a, b, c);
    assert_false(chmod(path, 0600));
    assert_one_error(&r, 1, strrchr(path, '/'), "Permission denied");
}

static void inputs_that_may_not_be_read_are_named(void **state)
{
    ORDINARY();
    char model[512], file[600], data[512];
    snprintf(model, sizeof model, "%s", tiny_model(3));
    snprintf(data, sizeof data, "%s", labelled_data("inputs"));
    static const char *const parts[] = {
        "config.json", "model.safetensors", "vocab.json", "merges.txt", "preprocessor_config.json"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(file, sizeof file, "%s/%s", model, parts[i]);
        refuse(file, "classify -m @ --classes a,b @", model, data, NULL);
        refuse(file, "inspect @", model, NULL, NULL);
    }
    const char *words = test_text("words.txt", "a\nb\n"),
               *list = test_text("list.csv", "path,label\nx.png,a\n");
    refuse(words, "classify -m @ --class-file @ @", model, words, data);
    refuse(words, "classify -m @ --classes a,b --template-file @ @", model, words, data);
    refuse(words, "eval -m @ -d @ --names @", model, data, words);
    refuse(list, "eval -m @ -d @", model, list, NULL);
    refuse(list, "tokenize -m @ --text-file @", model, list, NULL);
    const char *kept = test_path("kept.safetensors");
    run_result r = run_mopd(NULL, "fit -q -m @ -d @ -o @", model, data, kept);
    assert_run(r, 0);
    refuse(kept, "classify -m @ -r @ @", model, kept, data);
    refuse(kept, "inspect @", kept, NULL, NULL);
    r = run_mopd(NULL, "train -q -m @ -d @ --template {} --epochs 1 -o @", model, data, kept);
    assert_run(r, 0);
    refuse(kept, "classify -m @ -p @ @", model, kept, data);
    refuse(kept, "eval -m @ -d @ -p @", model, data, kept);
    r = run_mopd(NULL, "features -q -m @ -d @ -o @", model, data, kept);
    assert_run(r, 0);
    refuse(kept, "eval -m @ -d @", model, kept, NULL);
    refuse(kept, "search -m @ -d @ --text a", model, kept, NULL);
}

static void outputs_that_may_not_be_written_are_named(void **state)
{
    ORDINARY();
    const char *data = labelled_data("outputs"), *picture = test_path("outputs/train/a/0.png");
    test_folder("shut");
    test_text("shut/old", "old");
    set_mode("shut", 0555);
    static const char *const targets[] = {"shut/new", "shut/old"};
    for (size_t i = 0; i < 2; i++) {
        const char *out = test_path(targets[i]), *model = tiny_model(1);
        const struct {
            const char *line, *from;
        } all[] = {{"fit -m @ -d @ -o @", data}, {"train -m @ -d @ -o @", data},
            {"train -m @ -d @ -o /dev/null --report @", data},
            {"train -m @ -d @ -o /dev/null --checkpoint @", data}, {"features -m @ -d @ -o @", data},
            {"doctor -m @ -d @ --report @", data}, {"doctor -m @ -d @ --fix @", data},
            {"encode -m @ --image @ -o @", picture}, {"preprocess -m @ @ -o @", picture},
            {"pack -m @ --dtype @ -o @", "f16"}};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
            run_result r = run_mopd(NULL, all[k].line, model, all[k].from, out);
            assert_one_error(&r, 1, targets[i], "Permission denied");
        }
    }
    char *old = test_read(test_path("shut/old"));
    assert_string_equal(old, "old");
    free(old);
    set_mode("shut", 0700);
    assert_false(rmdir(test_path("shut")) == 0);
    assert_false(unlink(test_path("shut/old")));
    assert_false(rmdir(test_path("shut"))); /* nothing was left in it */
}

static int become(void **state)
{
    (void)state;
    ordinary = ordinary_become();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_not_be_read_is_named_and_the_rest_go_on),
        cmocka_unit_test(class_folders_that_may_not_be_read_are_errors),
        cmocka_unit_test(inputs_that_may_not_be_read_are_named),
        cmocka_unit_test(outputs_that_may_not_be_written_are_named),
    };
    return cmocka_run_group_tests(tests, become, NULL);
}
