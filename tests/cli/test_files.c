/* SPDX-License-Identifier: MIT
 * test_files.c - encode, preprocess, tokenize, inspect, pack and bench: what they write, and where they cannot. */
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pictures.h"
#include "support/run.h"
#include "support/tiny.h"

static json_t *parse(const run_result *r)
{
    json_error_t error;
    json_t *document = json_loads(r->out, JSON_REJECT_DUPLICATES, &error);
    if (!document) fail_msg("no JSON: %s in: %.2000s", error.text, r->out);
    return document;
}

/* The n floats of an .npy file whose header names this shape. */
static void read_npy(const char *path, const char *shape, float *values, size_t n)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot open %s", path);
    char header[129] = "";
    assert_int_equal(fread(header, 1, 128, f), 128);
    assert_memory_equal(header, "\x93NUMPY\x01\x00", 8);
    assert_has(header + 10, "'descr': '<f4', 'fortran_order': False");
    assert_has(header + 10, shape);
    assert_int_equal(fread(values, sizeof *values, n, f), n);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
}

static void encode_writes_what_the_library_computes(void **state)
{
    (void)state;
    const char *a = test_png("a.png", 9, 12, 1), *b = test_png("b c.png", 30, 8, 2),
               *out = test_path("f.npy");
    static const char *const texts[] = {"a photo of a cat.", "", "x"};
    float got[3 * TINY_DIM], want[3 * TINY_DIM];
    mopd_encoder *encoder = tiny_open(1, 2);
    mopd_image *images[2];
    assert_ok(mopd_image_open(&images[0], a, NULL));
    assert_ok(mopd_image_open(&images[1], b, NULL));
    assert_ok(mopd_encoder_encode_images(encoder, (const mopd_image *const *)images, 2, want));
    run_result r = run_mopd(NULL, "encode -m @ --image @ @ -o @", tiny_model(1), a, b, out);
    assert_run(r, 0);
    read_npy(out, "'shape': (2, 12)", got, 2 * TINY_DIM);
    assert_memory_equal(got, want, sizeof *got * 2 * TINY_DIM);
    assert_ok(mopd_encoder_encode_texts(encoder, texts, 3, want));
    r = run_mopd(NULL, "encode -m @ --text @ @ @ -o @ --format json", tiny_model(1), texts[0], texts[1],
        texts[2], out);
    assert_run(r, 0);
    read_npy(out, "'shape': (3, 12)", got, 3 * TINY_DIM);
    assert_memory_equal(got, want, sizeof *got * 3 * TINY_DIM);
    json_t *document = parse(&r);
    assert_int_equal(json_integer_value(json_object_get(document, "n")), 3);
    assert_int_equal(json_integer_value(json_object_get(document, "dim")), TINY_DIM);
    json_decref(document);
    const char *lines = test_text("t.txt", "a photo of a cat.\n\nx\n\n \n");
    r = run_mopd(NULL, "encode -m @ --text-file @ -o @ --quiet", tiny_model(1), lines, out);
    assert_run(r, 0);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "");
    read_npy(out, "'shape': (3, 12)", got, 3 * TINY_DIM);
    assert_memory_equal(got, want, sizeof *got * 3 * TINY_DIM);
    r = run_mopd(NULL, "encode -m @ --text-file @ -o @", tiny_model(1), lines, out);
    assert_has(r.err, "t.txt: 2 blank lines at the end left out");
    assert_has(r.err, "t.txt: 1 blank lines, the first is line 2; each has its row");
    mopd_image_close(images[0]);
    mopd_image_close(images[1]);
    mopd_encoder_close(encoder);
}

/* A folder with a bad picture and a name that needs quotes: the list says which row is which. */
static void encode_lists_the_pictures_of_its_rows(void **state)
{
    (void)state;
    float rows[3 * TINY_DIM], one[TINY_DIM];
    const char *out = test_path("rows.npy"), *list = test_path("rows.paths.csv");
    test_png("rows/a, b.png", 9, 12, 1);
    test_png("rows/deep/c.png", 9, 12, 2);
    test_text("rows/bad.png", "no picture");
    run_result r = run_mopd(NULL, "encode -m @ --image @ -o @", tiny_model(1), test_path("rows"), out);
    assert_one_error(&r, 1, "rows/bad.png", "--skip-bad leaves it out");
    r = run_mopd(
        NULL, "encode -m @ --image @ --skip-bad -o @ --format json", tiny_model(1), test_path("rows"), out);
    assert_run(r, 0);
    assert_has(r.err, "mopd: skipped: ");
    assert_has(r.err, "1 unreadable pictures left out");
    json_t *document = parse(&r);
    assert_string_equal(json_string_value(json_object_get(document, "paths")), list);
    assert_int_equal(json_integer_value(json_object_get(document, "skipped")), 1);
    json_decref(document);
    read_npy(out, "'shape': (2, 12)", rows, 2 * TINY_DIM);
    char want[2048], *text = test_read(list);
    snprintf(
        want, sizeof want, "path\n\"%s\"\n%s\n", test_path("rows/a, b.png"), test_path("rows/deep/c.png"));
    assert_string_equal(text, want);
    free(text);
    r = run_mopd(NULL, "encode -m @ -d @ -o @", tiny_model(1), list, test_path("again.npy"));
    assert_run(r, 0);
    assert_has(r.out, "again.npy: 2 x 12; the rows' pictures are in ");
    r = run_mopd(
        NULL, "encode -m @ --image @ -o @", tiny_model(1), test_path("rows/deep/c.png"), test_path("c.npy"));
    assert_run(r, 0);
    read_npy(test_path("c.npy"), "'shape': (1, 12)", one, TINY_DIM);
    assert_memory_equal(rows + TINY_DIM, one, sizeof one);
    test_folder("taken.paths.csv/x");
    r = run_mopd(NULL, "encode -m @ --image @ -o @", tiny_model(1), test_path("rows/deep/c.png"),
        test_path("taken.npy"));
    assert_one_error(&r, 1, "taken.paths.csv: is a directory, cannot write there", "");
    assert_int_equal(access(test_path("taken.paths.csv.part"), F_OK), -1);
    unlink(test_path("rows/a, b.png"));
    unlink(test_path("rows/deep/c.png"));
    r = run_mopd(NULL, "encode -m @ --image @ --skip-bad -o @", tiny_model(1), test_path("rows"), out);
    assert_run(r, 1);
    assert_has(r.err, "none of the 1 pictures can be read");
}

static void encode_keeps_the_old_file_when_it_fails(void **state)
{
    (void)state;
    const char *out = test_text("old.npy", "what was there");
    run_result r = run_mopd(NULL, "encode -m @ --image @ @ -o @", tiny_model(1), test_png("a.png", 9, 12, 1),
        test_path("absent.png"), out);
    assert_one_error(&r, 1, "absent.png", "No such file");
    char text[32] = "";
    FILE *f = fopen(out, "rb");
    assert_int_equal(fread(text, 1, sizeof text - 1, f), 14);
    fclose(f);
    assert_string_equal(text, "what was there");
}

/* Each command that writes a file, into places where none can be written. */
static void unwritable_places_are_named(void **state)
{
    (void)state;
    const char *m = tiny_model(1), *picture = test_png("a.png", 9, 12, 1), *closed = test_folder("closed");
    static const char *const lines[] = {"encode -m @ --image @ -o @", "preprocess -m @ @ -o @"};
    assert_int_equal(chmod(closed, 0555), 0);
    bool root = geteuid() == 0; /* may write everywhere */
    for (size_t i = 0; i < 2; i++) {
        run_result r = run_mopd(NULL, lines[i], m, picture, "/proc/no/f.npy");
        assert_one_error(&r, 1, "/proc/no/f.npy", "No such file");
        r = run_mopd(NULL, lines[i], m, picture, test_path("absent/f.npy"));
        assert_one_error(&r, 1, "absent/f.npy", "No such file");
        if (root) continue;
        r = run_mopd(NULL, lines[i], m, picture, test_path("closed/f.npy"));
        assert_one_error(&r, 1, "closed/f.npy", "Permission denied");
    }
    run_result r = run_mopd(NULL, "pack -m @ -o @", m, test_path("absent/m.safetensors"));
    assert_one_error(&r, 1, "absent/m.safetensors", "No such file");
    if (!root) {
        r = run_mopd(NULL, "pack -m @ -o @", m, test_path("closed/m.safetensors"));
        assert_one_error(&r, 1, "closed/m.safetensors", "Permission denied");
    }
    chmod(closed, 0755);
}

static void devices_are_written_in_place(void **state)
{
    (void)state;
    struct stat info;
    const char *m = tiny_model(1);
    run_result r = run_mopd(NULL, "encode -m @ --text a -o /dev/full", m);
    assert_one_error(&r, 1, "/dev/full", "No space left");
    r = run_mopd(NULL, "pack -m @ -o /dev/full", m);
    assert_one_error(&r, 1, "/dev/full", "No space left");
    assert_int_equal(stat("/dev/full", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
}

static void preprocess_writes_the_tensor(void **state)
{
    (void)state;
    enum { N = 3 * TINY_IMAGE * TINY_IMAGE };
    float got[N], want[N];
    const char *picture = test_png("a.png", 21, 12, 1), *out = test_path("x.npy");
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_image *image;
    assert_ok(mopd_image_open(&image, picture, NULL));
    assert_ok(mopd_encoder_preprocess(encoder, image, want));
    run_result r = run_mopd(NULL, "preprocess -m @ @ -o @", tiny_model(1), picture, out);
    assert_run(r, 0);
    read_npy(out, "'shape': (3, 8, 8)", got, N);
    assert_memory_equal(got, want, sizeof got);
    mopd_image_close(image);
    mopd_encoder_close(encoder);
    r = run_mopd(NULL, "preprocess -m @ @ -o @", tiny_model(1), test_text("a.jpg", "text"), out);
    assert_one_error(&r, 1, "a.jpg", "not JPEG, PNG");
}

static void tokenize_prints_ids_in_three_formats(void **state)
{
    (void)state;
    const char *m = tiny_model(1);
    run_result r = run_mopd(NULL, "tokenize -m @ --format json @ @", m, "a photo of", "");
    assert_run(r, 0);
    assert_string_equal(r.out, "[[517,353,515,516,518],[517,518]]\n");
    r = run_mopd(NULL, "tokenize -m @ @ @", m, "a photo of", "");
    assert_string_equal(r.out, "517 353 515 516 518\n517 518\n");
    r = run_mopd(NULL, "tokenize -m @ --format csv @", m, "a photo of");
    assert_string_equal(r.out, "517,353,515,516,518\n");
    r = run_mopd(NULL, "tokenize -m @ @", m, "ab\xc3(");
    assert_one_error(&r, 1, "UTF-8", "byte 2");
    r = run_mopd(NULL, "tokenize -m @ @", m, "abcdefghijklmnopqrstuvwxyz");
    assert_one_error(&r, 1, "28 tokens", "24");
    r = run_mopd(NULL, "tokenize -m @ --truncate --format json @", m, "abcdefghijklmnopqrstuvwxyz");
    assert_run(r, 0);
    assert_has(r.out, ",518]]");
}

static void inspect_tells_sizes_and_types(void **state)
{
    (void)state;
    run_result r = run_mopd(NULL, "inspect --format json @", tiny_model(1));
    assert_run(r, 0);
    json_t *d = parse(&r);
    static const struct {
        const char *key;
        json_int_t want;
    } numbers[] = {{"dim", TINY_DIM}, {"text_width", TINY_WIDTH}, {"context_length", TINY_CONTEXT},
        {"image_size", TINY_IMAGE}, {"vocab_size", TINY_VOCAB}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(json_integer_value(json_object_get(d, numbers[i].key)), numbers[i].want);
    assert_string_equal(json_string_value(json_object_get(d, "kind")), "model");
    assert_int_equal(strlen(json_string_value(json_object_get(d, "fingerprint"))), 64);
    assert_true(json_integer_value(json_object_get(json_object_get(d, "types"), "F32")) > 0);
    assert_true(json_real_value(json_object_get(d, "open_ms")) > 0);
    json_decref(d);
    run_result m = run_mopd(NULL, "inspect -m @", tiny_model(1));
    assert_run(m, 0);
    assert_has(m.out, "fingerprint");
    r = run_mopd(NULL, "inspect --format csv @", tiny_model(1));
    assert_run(r, 0);
    assert_has(r.out, "dim,12\r\n");
    assert_has(r.out, "types.F32,");
}

static void assert_same_fingerprint(const run_result *a, const run_result *b)
{
    json_t *d[] = {parse(a), parse(b)};
    assert_string_equal(json_string_value(json_object_get(d[0], "fingerprint")),
        json_string_value(json_object_get(d[1], "fingerprint")));
    json_decref(d[0]);
    json_decref(d[1]);
}

static void pack_makes_a_file_of_the_same_model(void **state)
{
    (void)state;
    const char *picture = test_png("a.png", 21, 12, 1), *packed = test_path("tiny.safetensors");
    run_result r = run_mopd(NULL, "pack -m @ --format json -o @", tiny_model(1), packed);
    assert_run(r, 0);
    json_t *d = parse(&r);
    assert_string_equal(json_string_value(json_object_get(d, "path")), packed);
    assert_int_equal(strlen(json_string_value(json_object_get(d, "fingerprint"))), 64);
    json_decref(d);
    run_result a = run_mopd(NULL, "classify -m @ --classes cat,dog --format json @", tiny_model(1), picture);
    run_result b = run_mopd(NULL, "classify -m @ --classes cat,dog --format json @", packed, picture);
    assert_run(b, 0);
    assert_string_equal(a.out, b.out);
    r = run_mopd(NULL, "pack -m @ --panels -o @", tiny_model(1), packed);
    assert_run(r, 0);
    b = run_mopd(NULL, "classify -m @ --classes cat,dog --format json @", packed, picture);
    assert_run(b, 0);
    assert_string_equal(a.out, b.out);
    setenv("MOPD_MODEL", packed, 1); /* the built-in model's place */
    b = run_mopd(NULL, "classify --classes cat,dog --format json @", picture);
    unsetenv("MOPD_MODEL");
    assert_run(b, 0);
    assert_string_equal(a.out, b.out);
    static const char *const types[] = {"f16", "bf16", "i8"}, *const names[] = {
                                                                  "\"F16\"", "\"BF16\"", "\"I8\""};
    for (int i = 0; i < 3; i++) {
        r = run_mopd(NULL, "pack -m @ --dtype @ --format json -o @", tiny_model(1), types[i], packed);
        assert_run(r, 0);
        b = run_mopd(NULL, "inspect --format json @", packed);
        assert_has(b.out, names[i]);
        assert_same_fingerprint(&r, &b); /* that of the file, not of what it was made from */
        b = run_mopd(NULL, "classify -m @ --classes cat,dog @", packed, picture);
        assert_run(b, 0);
    }
}

static void pack_is_calibrated_by_pictures(void **state)
{
    (void)state;
    const char *m = tiny_model(1), *picture = test_png("photos/deep/er/a.png", 21, 12, 1),
               *packed = test_path("tiny.safetensors");
    test_png("photos/b.png", 9, 12, 2);
    run_result r = run_mopd(NULL, "pack -m @ --dtype i8 --calibrate @ -o @", m, test_path("photos"), packed);
    assert_run(r, 0);
    r = run_mopd(NULL, "classify -m @ --precision int8 --classes cat,dog @", packed, picture);
    assert_run(r, 0);
    r = run_mopd(NULL, "pack -m @ --dtype i8 --calibrate @ -o @", m, picture, packed);
    assert_run(r, 0);
    r = run_mopd(
        NULL, "pack -m @ --dtype i8 --panels --calibrate @ -o @", tiny_wide_model(), picture, packed);
    assert_run(r, 0);
    r = run_mopd(NULL, "classify -m @ --precision int8 --classes cat,dog @", packed, picture);
    assert_run(r, 0);
    assert_string_equal(r.err, "");
    r = run_mopd(NULL, "classify -m @ --classes cat,dog @", packed, picture);
    assert_run(r, 0);
    assert_has(r.err,
        "its weights lie ready for --precision int8, but are packed in memory: the model is open in another");
    r = run_mopd(NULL, "inspect @", packed);
    assert_has(r.out, "int8");
    r = run_mopd(NULL, "pack -m @ --dtype f16 --calibrate @ -o @", m, picture, packed);
    assert_one_error(&r, 2, "--calibrate goes with --dtype i8", "f16");
    r = run_mopd(NULL, "pack -m @ --calibrate @ -o @", m, picture, packed);
    assert_one_error(&r, 2, "--calibrate goes with --dtype i8", "f32");
    test_write("broken.png", "no picture", 10);
    r = run_mopd(NULL, "pack -m @ --dtype i8 --calibrate @ -o @", m, test_path("broken.png"), packed);
    assert_one_error(&r, 1, "broken.png", "");
    test_folder("empty");
    r = run_mopd(NULL, "pack -m @ --dtype i8 --calibrate @ -o @", m, test_path("empty"), packed);
    assert_one_error(&r, 1, "empty", "picture");
}

static void bench_fills_every_field(void **state)
{
    (void)state;
    static const char *const precisions[] = {"f32", "bf16", "int8"};
    for (size_t p = 0; p < 3; p++) {
        run_result r = run_mopd(NULL, "bench -m @ --format json --seconds 0 --threads 2 --precision @",
            tiny_model(1), precisions[p]);
        assert_run(r, 0);
        json_t *d = parse(&r);
        static const char *const numbers[] = {"image_ms_b1", "images_per_s_b16", "text_ms_1",
            "texts_per_s_64", "train_step_ms", "open_ms", "peak_rss_mb", "gemm_gflops", "threads"};
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            if (!(json_number_value(json_object_get(d, numbers[i])) > 0))
                fail_msg("%s in %s", numbers[i], r.out);
        }
        assert_int_equal(json_integer_value(json_object_get(d, "threads")), 2);
        assert_string_equal(json_string_value(json_object_get(d, "precision")), precisions[p]);
        assert_true(json_is_string(json_object_get(d, "cpu")));
        json_decref(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode_writes_what_the_library_computes),
        cmocka_unit_test(encode_lists_the_pictures_of_its_rows),
        cmocka_unit_test(encode_keeps_the_old_file_when_it_fails),
        cmocka_unit_test(unwritable_places_are_named),
        cmocka_unit_test(devices_are_written_in_place),
        cmocka_unit_test(preprocess_writes_the_tensor),
        cmocka_unit_test(tokenize_prints_ids_in_three_formats),
        cmocka_unit_test(inspect_tells_sizes_and_types),
        cmocka_unit_test(pack_makes_a_file_of_the_same_model),
        cmocka_unit_test(pack_is_calibrated_by_pictures),
        cmocka_unit_test(bench_fills_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
