/* SPDX-License-Identifier: MIT
 * test_store.c - features of a dataset, kept in a store, extended and withdrawn from; a made-up tower
 * stands for the model. */
#include "pictures.h"

#include <sys/stat.h>
#include <unistd.h>

#include "model/encoder.h"
#include "data/dataset.h"

enum { SIDE = 8, DIM = 6 };

static mopd_status tower_prepare(const mo_vision *v)
{
    (void)v;
    return MOPD_OK;
}

static mopd_status tower_open(void **work, const mo_vision *v, const mo_pool *pool, size_t n)
{
    (void)v, (void)pool, (void)n;
    *work = NULL;
    return MOPD_OK;
}

static void tower_close(void *work)
{
    (void)work;
}

/* Some linear map of the pixels. */
static void tower_run(void *work, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    (void)work, (void)pool;
    for (size_t i = 0; i < n * DIM; i++) {
        const float *p = pixels + i / DIM * 3 * SIDE * SIDE;
        out[i] = 0.5f;
        for (size_t k = 0; k < 3 * SIDE * SIDE; k++)
            out[i] += p[k] * (float)((k * (i % DIM + 3)) % 7) * 0.01f;
    }
}

static mo_vision tower = {.image = SIDE,
    .dim = DIM,
    .chunk = 4,
    .lane = 2,
    .most = 4,
    .prepare = tower_prepare,
    .open = tower_open,
    .run = tower_run,
    .close = tower_close};

static mopd_encoder *encoder_of(char digit)
{
    static mopd_encoder encoders[16];
    mopd_encoder *e = encoders + (digit - 'a');
    memset(e, 0, sizeof *e);
    e->config.dim = DIM;
    e->config.image = SIDE;
    mo_pixels_clip(&e->config.pixels, SIDE);
    e->vision = &tower;
    memset(e->fingerprint, digit, 64);
    return e;
}

/* Three classes of pictures, train and test. */
static const char *write_data(const char *name)
{
    char path[64];
    uint32_t seed = 0;
    for (const char *split = "train"; split; split = *split == 't' && split[1] == 'r' ? "test" : NULL) {
        for (char c = 'a'; c <= 'c'; c++) {
            for (int i = 0; i < 3; i++) {
                snprintf(path, sizeof path, "%s/%s/%c/%d.png", name, split, c, i);
                test_png(path, 12, 10, seed++);
            }
        }
    }
    return test_path(name);
}

static mopd_dataset *open_data(const char *path)
{
    mopd_dataset *d = NULL;
    assert_ok(mopd_dataset_open(&d, path, NULL));
    return d;
}

static mopd_encode_options views_of(uint32_t n)
{
    mopd_encode_options o;
    assert_ok(mopd_encode_options_init(&o, sizeof o));
    o.n_views = n;
    o.seed = 5;
    return o;
}

static mopd_dataset *encode(const mopd_dataset *d, const mopd_dataset *known, uint32_t n_views)
{
    mopd_encode_options o = views_of(n_views);
    mopd_dataset *out = NULL;
    assert_ok(mopd_dataset_encode(&out, d, known, encoder_of('a'), &o));
    return out;
}

static size_t n_items(const mopd_dataset *d)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    assert_ok(mopd_dataset_get_info(d, &info));
    return (size_t)info.n_items;
}

static void assert_same_bytes(const char *a, const char *b)
{
    static char x[65536], y[65536];
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    assert_non_null(f);
    assert_non_null(g);
    size_t n = fread(x, 1, sizeof x, f), m = fread(y, 1, sizeof y, g);
    fclose(f);
    fclose(g);
    assert_int_equal(n, m);
    assert_in_range(n, 100, sizeof x - 1);
    assert_memory_equal(x, y, n);
}

static void features_are_unit_rows_in_order(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("unit")), *e = encode(d, NULL, 0);
    static float all[18 * DIM];
    assert_int_equal(n_items(e), 18);
    assert_null(mopd_dataset_feature(d, 0, 0));
    assert_fails(mopd_dataset_gather(d, 0, 1, all), MOPD_E_STATE, "not encoded");
    assert_ok(mopd_dataset_gather(e, 0, 1, all));
    for (size_t i = 0; i < 18; i++) {
        double length = 0;
        for (size_t k = 0; k < DIM; k++) length += (double)all[i * DIM + k] * (double)all[i * DIM + k];
        assert_true(fabs((double)(length) - (double)(1)) <= 1e-6);
        assert_memory_equal(mopd_dataset_feature(e, i, 0), all + i * DIM, sizeof(float) * DIM);
        if (i) assert_memory_not_equal(all, all + i * DIM, sizeof(float) * DIM);
    }
    assert_null(mopd_dataset_feature(e, 0, 1));
    assert_fails(mopd_dataset_gather(e, 0, 2, all), MOPD_E_ARG, "views 0 to 2 of 1");
    mopd_dataset_close(d);
    mopd_dataset_close(e);
}

static void views_do_not_depend_on_company(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("views")), *e = encode(d, NULL, 3), *one = NULL, *late = NULL;
    mopd_encode_options o = views_of(1);
    const size_t last[] = {17};
    const size_t trained[] = {2};
    /* train picture 0.png of class a stands behind the test one: same name, later path */
    assert_memory_not_equal(
        mopd_dataset_feature(e, 1, 0), mopd_dataset_feature(e, 1, 1), sizeof(float) * DIM);
    assert_memory_equal(mopd_dataset_feature(e, 0, 0), mopd_dataset_feature(e, 0, 2), sizeof(float) * DIM);
    mopd_dataset *few = NULL;
    assert_ok(mopd_dataset_pick(&few, d, last, 1, 0));
    o.first_view = 2;
    assert_ok(mopd_dataset_encode(&one, few, NULL, encoder_of('a'), &o));
    assert_memory_equal(mopd_dataset_feature(one, 0, 0), mopd_dataset_feature(e, 17, 2), sizeof(float) * DIM);
    o.seed = 6;
    assert_ok(mopd_dataset_encode(&late, few, NULL, encoder_of('a'), &o));
    assert_memory_not_equal(
        mopd_dataset_feature(late, 0, 0), mopd_dataset_feature(e, 17, 2), sizeof(float) * DIM);
    (void)trained;
    mopd_dataset_close(few);
    mopd_dataset_close(one);
    mopd_dataset_close(late);
    mopd_dataset_close(e);
    mopd_dataset_close(d);
}

static void store_gives_back_what_was_saved(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("round")), *e = encode(d, NULL, 2);
    const char *path = test_path("round.safetensors");
    assert_ok(mopd_dataset_save(e, path));
    mopd_dataset *s = open_data(path);
    mopd_dataset_info info = {.struct_size = sizeof info};
    assert_ok(mopd_dataset_get_info(s, &info));
    assert_int_equal(info.n_items, 18);
    assert_int_equal(info.n_views, 2);
    assert_int_equal(info.dim, DIM);
    assert_int_equal(info.augmented, 1);
    assert_int_equal(info.seed, 5);
    assert_int_equal(info.n_split[MOPD_SPLIT_TEST], 9);
    assert_string_equal(mopd_dataset_fingerprint(s), encoder_of('a')->fingerprint);
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
                mopd_dataset_feature(e, i, v), mopd_dataset_feature(s, i, v), sizeof(float) * DIM);
    }
    assert_ok(mopd_dataset_save(s, test_path("again.safetensors")));
    assert_same_bytes(test_path("again.safetensors"), path);
    assert_fails(mopd_dataset_save(d, path), MOPD_E_STATE, "not encoded");
    mopd_dataset_close(d);
    mopd_dataset_close(e);
    mopd_dataset_close(s);
}

/* Half of the data first, in a store of its own, the rest later: new pictures and a new class. */
static void appended_equals_all_at_once(void **state)
{
    (void)state;
    for (uint32_t views = 0; views < 3; views += 2) {
        mopd_dataset *d = open_data(write_data("grow")), *half = NULL;
        const size_t some[] = {1, 3, 4, 7, 8, 10};
        assert_ok(mopd_dataset_pick(&half, d, some, 6, MOPD_PICK_RELABEL));
        mopd_dataset *first = encode(half, NULL, views);
        assert_ok(mopd_dataset_save(first, test_path("grow.safetensors")));
        mopd_dataset *known = open_data(test_path("grow.safetensors"));
        mopd_dataset *joined = encode(d, known, views), *whole = encode(d, NULL, views);
        assert_ok(mopd_dataset_save(joined, test_path("joined.safetensors")));
        assert_ok(mopd_dataset_save(whole, test_path("whole.safetensors")));
        assert_same_bytes(test_path("joined.safetensors"), test_path("whole.safetensors"));
        mopd_dataset *two_stores = encode(first, whole, views);
        assert_int_equal(n_items(two_stores), 18);
        mopd_dataset *all[] = {d, half, first, known, joined, whole, two_stores};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) mopd_dataset_close(all[i]);
    }
}

/* The store says so, and takes no features of the other precision. */
static void precision_is_kept_in_the_store(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("precise")), *exact = encode(d, NULL, 0), *out = NULL,
                 *reduced = NULL;
    const char *path = test_path("reduced.safetensors");
    mopd_encode_options o = views_of(0);
    mopd_encoder *e = encoder_of('a');
    e->precision = MOPD_PRECISION_BF16;
    assert_fails(
        mopd_dataset_encode(&out, d, exact, e, &o), MOPD_E_MISMATCH, "in f32, the new ones are in bf16");
    assert_ok(mopd_dataset_encode(&reduced, d, NULL, e, &o));
    assert_ok(mopd_dataset_save(reduced, path));
    mopd_dataset *known = open_data(path);
    assert_ok(mopd_dataset_encode(&out, d, known, e, &o));
    assert_ok(mopd_dataset_save(out, test_path("again.safetensors")));
    assert_same_bytes(path, test_path("again.safetensors"));
    mopd_dataset_close(out);
    e->precision = MOPD_PRECISION_F32;
    assert_fails(
        mopd_dataset_encode(&out, d, known, e, &o), MOPD_E_MISMATCH, "in bf16, the new ones are in f32");
    assert_fails(mopd_dataset_encode(&out, exact, known, e, &o), MOPD_E_MISMATCH, "in bf16");
    mopd_dataset *all[] = {d, exact, reduced, known};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mopd_dataset_close(all[i]);
}

static void append_refuses_another_picture_at_a_known_path(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("change")), *known = encode(d, NULL, 0), *out = NULL;
    mopd_encode_options o = views_of(0);
    test_png("change/test/b/1.png", 12, 10, 4711);
    assert_fails(mopd_dataset_encode(&out, d, known, encoder_of('a'), &o), MOPD_E_MISMATCH,
        "test/b/1.png: known with content");
    write_data("change");
    assert_int_equal(rename(test_path("change/test/b"), test_path("change/test/z")), 0);
    mopd_dataset *moved =
        open_data(test_text("change.csv", "path,label,split\nchange/train/a/0.png,b,train\n"));
    mopd_dataset *as_a =
        open_data(test_text("change2.csv", "path,label,split\nchange/train/a/0.png,a,train\n"));
    mopd_dataset *a = encode(as_a, NULL, 0);
    assert_fails(mopd_dataset_encode(&out, moved, a, encoder_of('a'), &o), MOPD_E_MISMATCH,
        "known as a picture of 'a', now of 'b'");
    o.n_views = 2;
    assert_fails(mopd_dataset_encode(&out, d, known, encoder_of('a'), &o), MOPD_E_MISMATCH,
        "1 plain views a picture, now 2 augmented");
    mopd_dataset *all[] = {d, known, moved, as_a, a};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mopd_dataset_close(all[i]);
}

static void another_encoder_is_a_mismatch(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("other")), *e = encode(d, NULL, 0), *out = NULL;
    assert_fails(mopd_dataset_encode(&out, e, NULL, encoder_of('b'), NULL), MOPD_E_MISMATCH, "aaaaaaaa");
    assert_non_null(strstr(mopd_last_error(), encoder_of('b')->fingerprint));
    assert_fails(mopd_dataset_encode(&out, d, e, encoder_of('b'), NULL), MOPD_E_MISMATCH, "bbbbbbbb");
    assert_ok(mopd_dataset_encode(&out, e, NULL, encoder_of('a'), NULL));
    assert_ptr_equal(mopd_dataset_feature(out, 3, 0), mopd_dataset_feature(e, 3, 0));
    mopd_dataset_close(out);
    mopd_encode_options o = views_of(2);
    assert_fails(
        mopd_dataset_encode(&out, e, NULL, encoder_of('a'), &o), MOPD_E_MISMATCH, "holds 1 plain views");
    assert_fails(mopd_dataset_encode(&out, d, NULL, NULL, NULL), MOPD_E_ARG, "encoder");
    mopd_dataset_close(d);
    mopd_dataset_close(e);
}

typedef struct heard {
    size_t calls, stop_at, bad;
    char path[512], message[512];
} heard;

static int hear(void *context, size_t done, size_t total, const char *bad_path, const char *message)
{
    heard *h = context;
    h->calls++;
    assert_int_equal(done, h->calls);
    assert_int_equal(total, 18);
    if (bad_path) {
        h->bad++;
        snprintf(h->path, sizeof h->path, "%s", bad_path);
        snprintf(h->message, sizeof h->message, "%s", message);
    }
    return done == h->stop_at;
}

static void bad_pictures_are_named_or_skipped(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("bad")), *out = NULL;
    test_text("bad/train/b/1.png", "no picture");
    mopd_encode_options o = views_of(0);
    heard h = {0};
    o.fn = hear;
    o.context = &h;
    assert_fails(mopd_dataset_encode(&out, d, NULL, encoder_of('a'), &o), MOPD_E_FORMAT, "bad/train/b/1.png");
    h = (heard){0};
    o.flags = MOPD_ENCODE_SKIP_BAD;
    assert_ok(mopd_dataset_encode(&out, d, NULL, encoder_of('a'), &o));
    assert_int_equal(n_items(out), 17);
    assert_int_equal(h.calls, 18);
    assert_int_equal(h.bad, 1);
    assert_string_equal(h.path, test_path("bad/train/b/1.png"));
    assert_non_null(strstr(h.message, "bad/train/b/1.png"));
    mopd_dataset_close(out);
    for (int i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "bad/%s/b/%d.png", i < 3 ? "train" : "test", i % 3);
        unlink(test_path(name));
    }
    h = (heard){0};
    assert_fails(
        mopd_dataset_encode(&out, d, NULL, encoder_of('a'), &o), MOPD_E_FORMAT, "class 'b': none of its 6");
    mopd_dataset_close(d);
}

static void encoding_can_be_cancelled(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("stop")), *out = NULL;
    mopd_encode_options o = views_of(0);
    heard h = {.stop_at = 4};
    o.fn = hear;
    o.context = &h;
    assert_fails(mopd_dataset_encode(&out, d, NULL, encoder_of('a'), &o), MOPD_E_CANCELLED, "after 4 of 18");
    assert_int_equal(n_items(out), 4);
    assert_string_equal(mopd_dataset_class_name(out, 0), "a");
    assert_null(mopd_dataset_class_name(out, 1));
    mopd_dataset *rest = encode(d, out, 0), *whole = encode(d, NULL, 0);
    assert_ok(mopd_dataset_save(rest, test_path("rest.safetensors")));
    assert_ok(mopd_dataset_save(whole, test_path("unstopped.safetensors")));
    assert_same_bytes(test_path("rest.safetensors"), test_path("unstopped.safetensors"));
    mopd_dataset_close(rest);
    mopd_dataset_close(whole);
    mopd_dataset_close(out);
    mopd_dataset_close(d);
}

static void threads_do_not_change_a_store(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("threads"));
    for (size_t n = 1; n <= 3; n++) {
        mopd_encoder *e = encoder_of('a');
        mopd_dataset *out = NULL;
        mopd_encode_options o = views_of(2);
        assert_ok(mo_pool_create(&e->pool, n));
        assert_ok(mopd_dataset_encode(&out, d, NULL, e, &o));
        assert_ok(mopd_dataset_save(out, test_path(n == 1 ? "t1.safetensors" : "tn.safetensors")));
        if (n > 1) assert_same_bytes(test_path("t1.safetensors"), test_path("tn.safetensors"));
        mopd_dataset_close(out);
        mo_pool_free(e->pool);
        e->pool = NULL;
    }
    mopd_dataset_close(d);
}

static void withdrawn_store_equals_one_never_filled(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("less")), *e = encode(d, NULL, 0), *a = NULL, *b = NULL;
    assert_ok(mopd_dataset_withdraw(&a, e, NULL, "a"));
    assert_ok(mopd_dataset_withdraw(&b, a, "train/c/1.png", NULL));
    assert_int_equal(n_items(b), 11);
    assert_ok(mopd_dataset_save(b, test_path("less.safetensors")));
    mopd_dataset *s = open_data(test_path("less.safetensors"));
    assert_string_equal(mopd_dataset_class_name(s, 0), "b");
    assert_null(mopd_dataset_class_name(s, 2));
    mopd_dataset *back = encode(d, s, 0);
    assert_ok(mopd_dataset_save(back, test_path("back.safetensors")));
    assert_ok(mopd_dataset_save(e, test_path("full.safetensors")));
    assert_same_bytes(test_path("back.safetensors"), test_path("full.safetensors"));
    mopd_dataset *all[] = {d, e, a, b, s, back};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mopd_dataset_close(all[i]);
}

static void leave_one_out_visits_every_picture(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("loo")), *e = encode(d, NULL, 0);
    for (size_t i = 0; i < 18; i++) {
        mopd_dataset *rest = NULL;
        assert_ok(mopd_dataset_leave_out(&rest, e, i));
        assert_int_equal(n_items(rest), 17);
        if (i < 17) assert_ptr_equal(mopd_dataset_feature(rest, i, 0), mopd_dataset_feature(e, i + 1, 0));
        mopd_dataset_close(rest);
    }
    mopd_dataset_close(d);
    mopd_dataset_close(e);
}

/* A class without pictures in this split keeps its number after encoding. */
static void encoding_keeps_classes_without_pictures(void **state)
{
    (void)state;
    write_data("gap");
    unlink(test_path("gap/train/b/0.png"));
    unlink(test_path("gap/train/b/1.png"));
    unlink(test_path("gap/train/b/2.png"));
    mopd_dataset *d = open_data(test_path("gap")), *part = NULL;
    mopd_selection s;
    assert_ok(mopd_selection_init(&s, sizeof s));
    s.split = MOPD_SPLIT_TRAIN;
    assert_ok(mopd_dataset_select(&part, d, &s));
    mopd_dataset *e = encode(part, NULL, 0);
    assert_string_equal(mopd_dataset_class_name(e, 1), "b");
    assert_int_equal(mopd_dataset_labels(e)[5], 2);
    mopd_dataset *all[] = {d, part, e};
    for (size_t i = 0; i < 3; i++) mopd_dataset_close(all[i]);
}

/* One store with a piece of its header replaced by another of the same length, or cut short. */
static const char *spoil(const char *from, const char *to, long cut)
{
    static char bytes[65536];
    FILE *f = fopen(test_path("spoil.safetensors"), "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    if (from) {
        assert_int_equal(strlen(from), strlen(to));
        char *at = NULL;
        for (size_t i = 0; i + strlen(from) <= n && !at; i++) {
            if (!memcmp(bytes + i, from, strlen(from))) at = bytes + i;
        }
        assert_non_null(at);
        memcpy(at, to, strlen(to));
    }
    return test_write("spoiled.safetensors", bytes, n - (size_t)cut);
}

static void broken_stores_are_refused(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_data("spoil")), *e = encode(d, NULL, 0), *out = NULL;
    assert_ok(mopd_dataset_save(e, test_path("spoil.safetensors")));
    mopd_dataset_close(d);
    mopd_dataset_close(e);
    static const struct {
        const char *from, *to, *words;
        mopd_status st;
    } bad[] = {
        {"store", "bread", "no feature store, but a safetensors file of kind 'bread'", MOPD_E_FORMAT},
        {"mopd.format\":\"1", "mopd.format\":\"2", "store format 2, this library reads up to 1",
            MOPD_E_VERSION},
        {"\"views\":\"0", "\"views\":\"3", "metadata 'views' is 3, features have 1", MOPD_E_FORMAT},
        {"\"seed\":\"0", "\"seed\":\"x", "'seed' is 'x'", MOPD_E_FORMAT},
        {"\"paths\"", "\"pathz\"", "metadata 'paths' is missing", MOPD_E_FORMAT},
        {"\"fingerprint\"", "\"fingerprinz\"", "metadata 'fingerprint' is missing", MOPD_E_FORMAT},
        {"\"labels\":", "\"lapels\":", "labels", MOPD_E_FORMAT},
        {"train/a/1.png", "train/a/0.png", "'train/a/0.png' is there twice", MOPD_E_FORMAT},
        {"\\\"train/a/1.png\\\",", "                 ,", "paths", MOPD_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(
            mopd_dataset_open(&out, spoil(bad[i].from, bad[i].to, 0), NULL), bad[i].st, bad[i].words);
    for (long cut = 1; cut < 400; cut += 57)
        assert_fails(
            mopd_dataset_open(&out, spoil(NULL, NULL, cut), NULL), MOPD_E_FORMAT, "spoiled.safetensors");
    assert_null(out);
}

static void names_that_are_no_utf8_cannot_be_stored(void **state)
{
    (void)state;
    test_png("latin/a/\xf6.png", 9, 9, 1);
    mopd_dataset *d = open_data(test_path("latin")), *e = encode(d, NULL, 0);
    assert_fails(mopd_dataset_save(e, test_path("latin.safetensors")), MOPD_E_FORMAT, "byte 2 is not UTF-8");
    assert_int_not_equal(access(test_path("latin.safetensors"), F_OK), 0);
    mopd_dataset_close(d);
    mopd_dataset_close(e);
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
    if (st == MOPD_OK) st = mopd_dataset_encode(&known, half, NULL, encoder_of('a'), &o);
    if (st == MOPD_OK) st = mopd_dataset_encode(&all, d, known, encoder_of('a'), &o);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_unit_rows_in_order),
        cmocka_unit_test(views_do_not_depend_on_company),
        cmocka_unit_test(store_gives_back_what_was_saved),
        cmocka_unit_test(appended_equals_all_at_once),
        cmocka_unit_test(precision_is_kept_in_the_store),
        cmocka_unit_test(append_refuses_another_picture_at_a_known_path),
        cmocka_unit_test(another_encoder_is_a_mismatch),
        cmocka_unit_test(bad_pictures_are_named_or_skipped),
        cmocka_unit_test(encoding_can_be_cancelled),
        cmocka_unit_test(threads_do_not_change_a_store),
        cmocka_unit_test(withdrawn_store_equals_one_never_filled),
        cmocka_unit_test(leave_one_out_visits_every_picture),
        cmocka_unit_test(encoding_keeps_classes_without_pictures),
        cmocka_unit_test(broken_stores_are_refused),
        cmocka_unit_test(names_that_are_no_utf8_cannot_be_stored),
        cmocka_unit_test(stores_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
