/* SPDX-License-Identifier: MIT
 * test_store.c - feature stores: written, read back, withdrawn from; headers and numbers that lie. */
#include "support/datasets.h"
#include "support/forged.h"
#include "support/needs.h"

#include <unistd.h>

static void store_gives_back_what_was_saved(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("round")), *e = datasets_encode(d, NULL, 2);
    const char *path = test_path("round.safetensors");
    assert_ok(mopd_dataset_save(e, path));
    mopd_dataset *s = datasets_open(path);
    mopd_dataset_info info = {.struct_size = sizeof info};
    assert_ok(mopd_dataset_get_info(s, &info));
    assert_int_equal(info.n_items, 18);
    assert_int_equal(info.n_views, 2);
    assert_int_equal(info.dim, DATASETS_DIM);
    assert_int_equal(info.augmented, 1);
    assert_int_equal(info.seed, 5);
    assert_int_equal(info.n_split[MOPD_SPLIT_TEST], 9);
    assert_string_equal(mopd_dataset_fingerprint(s), datasets_encoder('a')->fingerprint);
    for (size_t i = 0; i < 18; i++) {
        mopd_item a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
        assert_ok(mopd_dataset_get_item(e, i, &a));
        assert_ok(mopd_dataset_get_item(s, i, &b));
        assert_string_equal(a.path, b.path);
        assert_string_equal(a.hash, b.hash);
        assert_int_equal(strlen(a.hash), 64);
        assert_int_equal(a.label, b.label);
        assert_int_equal(a.split, b.split);
        for (size_t v = 0; v < 2; v++)
            assert_memory_equal(
                mopd_dataset_feature(e, i, v), mopd_dataset_feature(s, i, v), sizeof(float) * DATASETS_DIM);
    }
    assert_ok(mopd_dataset_save(s, test_path("again.safetensors")));
    datasets_same_bytes(test_path("again.safetensors"), path);
    assert_fails(mopd_dataset_save(d, path), MOPD_E_STATE, "not encoded");
    mopd_dataset_close(d);
    mopd_dataset_close(e);
    mopd_dataset_close(s);
}

/* The store says so, and takes no features of the other precision. */
static void precision_is_kept_in_the_store(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("precise")), *exact = datasets_encode(d, NULL, 0),
                 *out = NULL, *reduced = NULL;
    const char *path = test_path("reduced.safetensors");
    mopd_encode_options o = datasets_views(0);
    mopd_encoder *e = datasets_encoder('a');
    e->precision = MOPD_PRECISION_BF16;
    assert_fails(
        mopd_dataset_encode(&out, d, exact, e, &o), MOPD_E_MISMATCH, "in f32, the new ones are in bf16");
    assert_ok(mopd_dataset_encode(&reduced, d, NULL, e, &o));
    assert_ok(mopd_dataset_save(reduced, path));
    mopd_dataset *known = datasets_open(path);
    assert_ok(mopd_dataset_encode(&out, d, known, e, &o));
    assert_ok(mopd_dataset_save(out, test_path("again.safetensors")));
    datasets_same_bytes(path, test_path("again.safetensors"));
    mopd_dataset_close(out);
    e->precision = MOPD_PRECISION_F32;
    assert_fails(
        mopd_dataset_encode(&out, d, known, e, &o), MOPD_E_MISMATCH, "in bf16, the new ones are in f32");
    assert_fails(mopd_dataset_encode(&out, exact, known, e, &o), MOPD_E_MISMATCH, "in bf16");
    e->precision = MOPD_PRECISION_INT8;
    assert_fails(
        mopd_dataset_encode(&out, d, known, e, &o), MOPD_E_MISMATCH, "in bf16, the new ones are in int8");
    mopd_dataset *small = NULL, *opened;
    mopd_dataset_info info = {.struct_size = sizeof info};
    assert_ok(mopd_dataset_encode(&small, d, NULL, e, &o));
    assert_ok(mopd_dataset_save(small, path));
    opened = datasets_open(path);
    assert_ok(mopd_dataset_get_info(opened, &info));
    assert_int_equal(info.quantized, MOPD_PRECISION_INT8);
    mopd_dataset_close(small);
    mopd_dataset_close(opened);
    mopd_dataset *all[] = {d, exact, reduced, known};
    datasets_close(all, sizeof all / sizeof *all);
}

static void withdrawn_store_equals_one_never_filled(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("less")), *e = datasets_encode(d, NULL, 0), *a = NULL,
                 *b = NULL;
    assert_ok(mopd_dataset_withdraw(&a, e, NULL, "a"));
    assert_ok(mopd_dataset_withdraw(&b, a, "train/c/1.png", NULL));
    assert_int_equal(datasets_info(b).n_items, 11);
    assert_ok(mopd_dataset_save(b, test_path("less.safetensors")));
    mopd_dataset *s = datasets_open(test_path("less.safetensors"));
    assert_string_equal(mopd_dataset_class_name(s, 0), "b");
    assert_null(mopd_dataset_class_name(s, 2));
    mopd_dataset *back = datasets_encode(d, s, 0);
    assert_ok(mopd_dataset_save(back, test_path("back.safetensors")));
    assert_ok(mopd_dataset_save(e, test_path("full.safetensors")));
    datasets_same_bytes(test_path("back.safetensors"), test_path("full.safetensors"));
    mopd_dataset *all[] = {d, e, a, b, s, back};
    datasets_close(all, sizeof all / sizeof *all);
}

/* A store that mopd features --views 2 of 0.1 wrote, before stores knew where their pictures lie: it opens, and is
 * written again with the same bytes wherever that is. */
static void a_store_of_format_1_keeps_its_bytes(void **state)
{
    (void)state;
    const char *gold = MOPD_TEST_DIR "/gold/store_format1.safetensors";
    mopd_dataset *s = datasets_open(gold);
    assert_string_equal(datasets_listing(s),
        "train/cat/grey8.png=cat train/cat/la8.png=cat test/dog/rgb8.png=dog train/dog/rgba8.png=dog");
    const mopd_dataset_info info = datasets_info(s);
    assert_int_equal(info.n_views, 2);
    assert_int_equal(info.unlabelled, 0);
    assert_int_equal(datasets_item(s, 2).split, MOPD_SPLIT_TEST);
    assert_string_equal(datasets_item(s, 0).file, MOPD_TEST_DIR "/gold/train/cat/grey8.png");
    assert_ok(mopd_dataset_save(s, test_path("format1.safetensors")));
    datasets_same_bytes(gold, test_path("format1.safetensors"));
    mopd_dataset_close(s);
}

static void names_that_are_no_utf8_cannot_be_stored(void **state)
{
    (void)state;
    TEST_NEEDS("names of any bytes");
    test_png("latin/a/\xf6.png", 9, 9, 1);
    mopd_dataset *d = datasets_open(test_path("latin")), *e = datasets_encode(d, NULL, 0);
    assert_fails(mopd_dataset_save(e, test_path("latin.safetensors")), MOPD_E_FORMAT, "byte 2 is not UTF-8");
    assert_int_not_equal(access(test_path("latin.safetensors"), F_OK), 0);
    mopd_dataset_close(d);
    mopd_dataset_close(e);
}

/* ---- stores that lie ---- */

static forged whole; /* a store of 18 pictures */

static const char *forge(const char *from, const char *to)
{
    return forged_header(&whole, "forged.safetensors", from, to);
}

/* Features are used where they lie in the file, or copied where that is not aligned. */
static void a_header_of_any_length_is_read(void **state)
{
    (void)state;
    mopd_dataset *a = datasets_open(test_write("whole.safetensors", whole.bytes, whole.n));
    static const char *const starts[] = {"{ ", "{  ", "{   ", "{    ", "{     "};
    for (size_t n = 0; n < 5; n++) { /* features begin at every alignment */
        mopd_dataset *b = datasets_open(forge("{", starts[n]));
        assert_string_equal(datasets_listing(a), datasets_listing(b));
        for (size_t i = 0; i < 18; i++)
            assert_memory_equal(
                mopd_dataset_feature(a, i, 0), mopd_dataset_feature(b, i, 0), DATASETS_DIM * sizeof(float));
        mopd_dataset_close(b);
    }
    mopd_dataset_close(a);
}

/* What the store says of its root; the same, and for 18 pictures numbers that begin so. */
#define ROOTS "\"roots\":\"[\\\"forge\\\"]\""
#define ROOT_OF(two) ROOTS ",\"root_of\":\"[" two ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]\""

static void headers_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *words;
        mopd_status st;
    } bad[] = {
        {"\"store\"", "\"bread\"", "no feature store, but a safetensors file of kind 'bread'", MOPD_E_FORMAT},
        {"\"mopd.kind\"", "\"mopd.kinD\"", "of kind 'unknown'", MOPD_E_FORMAT},
        {"mopd.format\":\"1", "mopd.format\":\"2", "store format 2, this library reads up to 1",
            MOPD_E_VERSION},
        {"mopd.format\":\"1", "mopd.format\":\"99999999999999999999", "not a number up to", MOPD_E_FORMAT},
        {"\"views\":\"0", "\"views\":\"3", "metadata 'views' is 3, features have 1", MOPD_E_FORMAT},
        {"\"views\":\"0", "\"views\":\"-1", "'views' is '-1', not a number", MOPD_E_FORMAT},
        {"\"views\":\"0", "\"views\":\"4294967296", "not a number up to 4294967295", MOPD_E_FORMAT},
        {"\"seed\":\"0", "\"seed\":\"x", "'seed' is 'x'", MOPD_E_FORMAT},
        {"\"seed\":\"0", "\"seed\":\"1 ", "'seed' is '1 '", MOPD_E_FORMAT},
        {"\"seed\":\"0", "\"seed\":\"", "'seed' is ''", MOPD_E_FORMAT},
        {"\"paths\"", "\"pathz\"", "metadata 'paths' is missing", MOPD_E_FORMAT},
        {"\"hashes\"", "\"hashez\"", "metadata 'hashes' is missing", MOPD_E_FORMAT},
        {"\"classes\"", "\"classez\"", "metadata 'classes' is missing", MOPD_E_FORMAT},
        {"\"preprocessing\"", "\"preprocessinG\"", "metadata 'preprocessing' is missing", MOPD_E_FORMAT},
        {"\"fingerprint\"", "\"fingerprinz\"", "metadata 'fingerprint' is missing", MOPD_E_FORMAT},
        {"\"fingerprint\":\"a", "\"fingerprint\":\"", "the fingerprint has 63 digits, not 64", MOPD_E_FORMAT},
        {"\"seed\"", "\"precision\":\"f64\",\"seed\"", "metadata 'precision' is 'f64', not 'bf16' or 'int8'",
            MOPD_E_FORMAT},
        {"\"seed\"", "\"grey16\":\"cut\",\"seed\"", "metadata 'grey16' is 'cut', not 'scaled'",
            MOPD_E_FORMAT},
        {"\"seed\"", "\"orientation\":\"ignore\",\"seed\"", "metadata 'orientation' is 'ignore', not 'exif'",
            MOPD_E_FORMAT},
        {"\"seed\"", "\"labelled\":\"no\",\"seed\"", "'labelled' is 'no' with 3 classes, not 'no' with one",
            MOPD_E_FORMAT},
        {"\"seed\"", "\"labelled\":\"yes\",\"seed\"", "'labelled' is 'yes' with 3 classes", MOPD_E_FORMAT},
        {ROOTS, "\"roots\":\"{}\"", "metadata 'roots' is not a list", MOPD_E_FORMAT},
        {ROOTS, "\"roots\":\"[\"", "metadata 'roots'", MOPD_E_FORMAT},
        {ROOTS, "\"roots\":\"[]\"", "metadata 'roots' is no list of folders", MOPD_E_FORMAT},
        {ROOTS, "\"roots\":\"[7]\"", "metadata 'roots': item 0 is not a text", MOPD_E_FORMAT},
        {ROOTS, "\"root_of\":\"[0]\"", "1 numbers of roots for 18 rows", MOPD_E_FORMAT},
        {ROOTS, ROOTS ",\"root_of\":\"[0]\"", "1 numbers of roots for 18 rows", MOPD_E_FORMAT},
        {ROOTS, ROOT_OF("0,1"), "'root_of': item 1 is none of the 1 roots", MOPD_E_FORMAT},
        {ROOTS, ROOT_OF("-1,0"), "'root_of': item 0 is none of the 1 roots", MOPD_E_FORMAT},
        {ROOTS, ROOT_OF("0,0.5"), "'root_of': item 1 is none of the 1 roots", MOPD_E_FORMAT},
        {"\"seed\"", "\"names\":\"[\",\"seed\"", "metadata 'names'", MOPD_E_FORMAT},
        {"\"seed\"", "\"names\":\"{}\",\"seed\"", "metadata 'names' is no list of 3 names", MOPD_E_FORMAT},
        {"\"seed\"", "\"names\":\"[\\\"x\\\",\\\"y\\\"]\",\"seed\"", "'names' is no list of 3 names",
            MOPD_E_FORMAT},
        {"\"seed\"", "\"names\":\"[\\\"x\\\",2,\\\"z\\\"]\",\"seed\"", "'names': item 1 is not a text",
            MOPD_E_FORMAT},
        {"\"classes\":\"[", "\"classes\":\"{", "metadata 'classes'", MOPD_E_FORMAT},
        {"\"classes\":\"[\\\"a\\\"", "\"classes\":\"[\\\"\\\"", "'classes': item 0 is not a text",
            MOPD_E_FORMAT},
        {"\"classes\":\"[\\\"a\\\"", "\"classes\":\"[7", "'classes': item 0 is not a text", MOPD_E_FORMAT},
        {"\"classes\":\"[\\\"a\\\",\\\"b\\\",\\\"c\\\"]", "\"classes\":\"[\\\"a\\\",\\\"b\\\"]",
            "label 2 of row 12, there are 2 classes", MOPD_E_FORMAT},
        {"\"classes\":\"[\\\"a\\\",\\\"b\\\",\\\"c\\\"]", "\"classes\":\"{}",
            "metadata 'classes' is not a list", MOPD_E_FORMAT},
        {"\\\"train/a/1.png\\\"", "\\\"train/a/0.png\\\"", "'train/a/0.png' is there twice", MOPD_E_FORMAT},
        {"\\\"train/a/1.png\\\",", "", "17 paths and 18 hashes for 18 rows", MOPD_E_FORMAT},
        {"\\\"train/a/1.png\\\"", "null", "'paths': item 3 is not a text", MOPD_E_FORMAT},
        {"\"hashes\":\"[\\\"", "\"hashes\":\"[\\\"0", "hash 0 has 65 digits, not 64", MOPD_E_FORMAT},
        {"\"labels\":", "\"lapels\":", "labels", MOPD_E_FORMAT},
        {"\"split\":", "\"splat\":", "split", MOPD_E_FORMAT},
        {"\"features\":", "\"feathers\":", "features", MOPD_E_FORMAT},
        {"[18,1,6]", "[18,6]", "with 2 dimensions and 108 elements, not F32 n x V x D", MOPD_E_FORMAT},
        {"[18,1,6]", "[9,2,6]", "'labels' has 18 elements of I32, features 9 rows", MOPD_E_FORMAT},
        {"[18,1,6]", "[18,6,1]", "metadata 'views' is 0, features have 6", MOPD_E_FORMAT},
        {"\"dtype\":\"F32\"", "\"dtype\":\"I32\"", "'features' is I32", MOPD_E_FORMAT},
        {"\"dtype\":\"I32\"", "\"dtype\":\"F32\"", "elements of F32", MOPD_E_FORMAT},
        {"[18,1,6]", "[18,1,7]", "features", MOPD_E_FORMAT},
    };
    mopd_dataset *out = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_fails(mopd_dataset_open(&out, forge(bad[i].from, bad[i].to), NULL), bad[i].st, bad[i].words);
        assert_non_null(strstr(mopd_last_error(), "forged.safetensors"));
        assert_null(out);
    }
}

/* Byte `at` of the numbers behind the header, written over by n bytes. */
static const char *damage(size_t at, const void *bytes, size_t n)
{
    static char copy[65536];
    memcpy(copy, whole.bytes, whole.n);
    memcpy(copy + 8 + whole.n_header + at, bytes, n);
    return test_write("damaged.safetensors", copy, whole.n);
}

static void numbers_that_lie_are_refused(void **state)
{
    (void)state;
    mopd_dataset *out = NULL;
    const size_t features = 18 * DATASETS_DIM * sizeof(float), labels = 18 * sizeof(int32_t);
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    static const int32_t no_label[] = {-1, 3, INT32_MAX, INT32_MIN}, no_split[] = {-2, 3, INT32_MAX};
    for (size_t i = 0; i < 3; i++)
        assert_fails(mopd_dataset_open(&out, damage(features - 4, wrong + i, 4), NULL), MOPD_E_FORMAT,
            "is not finite");
    for (size_t i = 0; i < 4; i++)
        assert_fails(mopd_dataset_open(&out, damage(features + 4, no_label + i, 4), NULL), MOPD_E_FORMAT,
            "of row 1, there are 3 classes");
    for (size_t i = 0; i < 3; i++)
        assert_fails(mopd_dataset_open(&out, damage(features + labels + 8, no_split + i, 4), NULL),
            MOPD_E_FORMAT, "of row 2, not -1 to 2");
    assert_null(out);
}

static void files_cut_short_are_refused(void **state)
{
    (void)state;
    mopd_dataset *out = NULL;
    for (size_t n = 0; n < whole.n; n += 1 + n % 61)
        assert_fails(mopd_dataset_open(&out, test_write("cut.safetensors", whole.bytes, n), NULL),
            MOPD_E_FORMAT, "cut.safetensors");
    assert_null(out);
}

/* One byte after another of the header changed: an error that names the file, or a store that can be used. */
static void damaged_bytes_harm_nothing(void **state)
{
    (void)state;
    static char copy[65536];
    for (size_t at = 0; at < 8 + whole.n_header; at += 3) {
        mopd_dataset *out = NULL;
        memcpy(copy, whole.bytes, whole.n);
        copy[at] ^= (char)(1 + at % 127);
        mopd_status st = mopd_dataset_open(&out, test_write("byte.safetensors", copy, whole.n), NULL);
        if (st == MOPD_OK) {
            for (size_t i = 0; i < datasets_info(out).n_items; i++)
                assert_true(isfinite(mopd_dataset_feature(out, i, 0)[0]));
        } else {
            if (st != MOPD_E_FORMAT && st != MOPD_E_VERSION && st != MOPD_E_UNSUPPORTED)
                fail_msg("byte %zu: %s: %s", at, mopd_status_name(st), mopd_last_error());
            assert_non_null(strstr(mopd_last_error(), "byte.safetensors"));
            assert_null(out);
        }
        mopd_dataset_close(out);
    }
}

static void a_store_is_read_or_mapped(void **state)
{
    (void)state;
    mopd_dataset_options o;
    mopd_dataset *mapped = NULL, *read = NULL;
    const char *path = test_write("open.safetensors", whole.bytes, whole.n);
    assert_ok(mopd_dataset_options_init(&o, sizeof o));
    assert_ok(mopd_dataset_open(&mapped, path, &o));
    o.flags = MOPD_DATASET_READ;
    o.root = "elsewhere";
    assert_ok(mopd_dataset_open(&read, path, &o));
    assert_int_equal(unlink(path), 0); /* both go on */
    assert_string_equal(datasets_listing(mapped), datasets_listing(read));
    assert_string_equal(datasets_item(read, 0).file, "elsewhere/test/a/0.png");
    for (size_t i = 0; i < 18; i++)
        assert_memory_equal(mopd_dataset_feature(mapped, i, 0), mopd_dataset_feature(read, i, 0),
            DATASETS_DIM * sizeof(float));
    mopd_dataset_close(mapped);
    mopd_dataset_close(read);
}

static void a_store_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    mopd_dataset *s = datasets_open(test_write("kept.safetensors", whole.bytes, whole.n));
    assert_fails(mopd_dataset_save(s, test_path("no/such/folder")), MOPD_E_IO, "no/such/folder");
    assert_ok(mopd_dataset_save(s, test_path("kept.safetensors"))); /* over the file that is mapped */
    assert_true(isfinite(mopd_dataset_feature(s, 17, 0)[DATASETS_DIM - 1]));
    datasets_same_bytes(test_path("kept.safetensors"), test_write("same.safetensors", whole.bytes, whole.n));
    mopd_dataset_close(s);
}

static mopd_status encode_save_open(void *ctx)
{
    mopd_dataset *d = NULL, *half = NULL, *known = NULL, *all = NULL, *back = NULL;
    mopd_encode_options o;
    const size_t some[] = {0, 5};
    mopd_encode_options_init(&o, sizeof o);
    o.n_views = 2;
    char path[512];
    snprintf(path, sizeof path, "%s.safetensors", (const char *)ctx);
    mopd_status st = mopd_dataset_open(&d, ctx, NULL);
    if (st == MOPD_OK) st = mopd_dataset_pick(&half, d, some, 2, 0);
    if (st == MOPD_OK) st = mopd_dataset_encode(&known, half, NULL, datasets_encoder('a'), &o);
    if (st == MOPD_OK) st = mopd_dataset_encode(&all, d, known, datasets_encoder('a'), &o);
    if (st == MOPD_OK) st = mopd_dataset_save(all, path);
    if (st == MOPD_OK) st = mopd_dataset_open(&back, path, NULL);
    mopd_dataset *list[] = {d, half, known, all, back};
    for (size_t i = 0; i < 5; i++) mopd_dataset_close(list[i]);
    return st;
}

static void stores_survive_lack_of_memory(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "lean/%c/%d.png", 'a' + i % 2, i);
        test_png(name, 9, 9, (uint32_t)i);
    }
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("lean"));
    test_torture(encode_save_open, path);
}

static int make_store(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("forge")), *e = datasets_encode(d, NULL, 0);
    const char *path = test_path("forge.safetensors");
    assert_ok(mopd_dataset_save(e, path));
    mopd_dataset_close(d);
    mopd_dataset_close(e);
    whole = forged_read(path);
    return 0;
}

static int drop_store(void **state)
{
    (void)state;
    forged_free(&whole);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_gives_back_what_was_saved),
        cmocka_unit_test(precision_is_kept_in_the_store),
        cmocka_unit_test(withdrawn_store_equals_one_never_filled),
        cmocka_unit_test(a_store_of_format_1_keeps_its_bytes),
        cmocka_unit_test(names_that_are_no_utf8_cannot_be_stored),
        cmocka_unit_test(a_header_of_any_length_is_read),
        cmocka_unit_test(headers_that_lie_are_refused),
        cmocka_unit_test(numbers_that_lie_are_refused),
        cmocka_unit_test(files_cut_short_are_refused),
        cmocka_unit_test(damaged_bytes_harm_nothing),
        cmocka_unit_test(a_store_is_read_or_mapped),
        cmocka_unit_test(a_store_that_cannot_be_written_is_told),
        cmocka_unit_test(stores_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make_store, drop_store);
}
