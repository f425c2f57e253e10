/* SPDX-License-Identifier: MIT
 * test_share.c - shares of one open model: the same bits on threads of their own; progress told, and cancelling. */
#include "test.h"

#include <pthread.h>

#include "support/needs.h"
#include "support/tiny.h"

enum { C = 300, N = 40, PIXELS = 3 * TINY_IMAGE * TINY_IMAGE };

static char text[C][16];
static const char *names[C];
static const char *const sentences[] = {"a photo of a {}.", "{}", "the {} and a {}"};
enum { M = sizeof sentences / sizeof *sentences };
static float pixels[N * PIXELS];
static mopd_image *images[N];

/* What a callback saw, and when it says stop: with this many or more done. */
typedef struct watch {
    size_t calls, done, total, stop_at;
    bool ordered;
    pthread_t thread;
} watch;

static int look(void *context, size_t done, size_t total)
{
    watch *w = context;
    w->ordered = w->calls ? w->ordered && done > w->done && total == w->total : done == 0;
    w->ordered = w->ordered && done <= total && pthread_equal(pthread_self(), w->thread);
    w->calls++;
    w->done = done;
    w->total = total;
    return done >= w->stop_at;
}

static mopd_encoder *share_of(const mopd_encoder *e, watch *w, uint32_t n_threads, size_t stop_at)
{
    mopd_encoder *share;
    mopd_share_options o;
    assert_ok(mopd_share_options_init(&o, sizeof o));
    *w = (watch){.stop_at = stop_at, .thread = pthread_self()};
    o.n_threads = n_threads;
    o.progress = look;
    o.context = w;
    assert_ok(mopd_encoder_share(&share, e, &o));
    return share;
}

/* Every public call that tells its progress, by its number: what it made, compared by bits. */
typedef struct made {
    float out[C * M * TINY_DIM];
    size_t n;
    size_t total; /* that it must tell */
} made;

static mopd_status keep_bank(made *m, mopd_status st, mopd_bank *bank, size_t total)
{
    if (st != MOPD_OK) {
        assert_null(bank);
        return st;
    }
    m->n = mopd_bank_n_classes(bank) * TINY_DIM;
    m->total = total;
    memcpy(m->out, mopd_bank_features(bank), m->n * sizeof *m->out);
    mopd_bank_free(bank);
    return st;
}

static mopd_status encode(const mopd_encoder *e, size_t way, made *m)
{
    *m = (made){.n = N * TINY_DIM, .total = N};
    if (way == 0) {
        m->n = C * TINY_DIM;
        m->total = C;
        return mopd_encoder_encode_texts(e, names, C, m->out);
    }
    if (way == 1) return mopd_encoder_encode_pixels(e, pixels, N, m->out);
    return mopd_encoder_encode_images(e, (const mopd_image *const *)images, N, m->out);
}

static mopd_status bank(const mopd_encoder *e, made *m)
{
    mopd_bank *made_bank = NULL;
    mopd_status st = mopd_bank_create(&made_bank, e, names, C, sentences, M);
    return keep_bank(m, st, made_bank, C * M);
}

/* A trainer whose teachers are encoded, and then the bank of its prompt. */
static mopd_status teach(const mopd_encoder *e, made *m, bool teachers)
{
    mopd_trainer *trainer = NULL;
    mopd_prompt *prompt = NULL;
    mopd_bank *learned = NULL;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 1);
    mopd_encoder *silent = NULL;
    assert_ok(mopd_encoder_share(&silent, e, NULL));
    mopd_status st = mopd_trainer_create(&trainer, teachers ? e : silent, names, C, &o);
    if (st != MOPD_OK) assert_null(trainer);
    if (st == MOPD_OK) st = mopd_prompt_create_trainer(&prompt, trainer);
    if (st == MOPD_OK) {
        st = mopd_bank_create_prompt(&learned, teachers ? silent : e, names, C, prompt);
        st = keep_bank(m, st, learned, C);
    }
    if (st == MOPD_OK && teachers) m->total = C * (size_t)o.n_templates;
    mopd_prompt_close(prompt);
    mopd_trainer_free(trainer);
    mopd_encoder_close(silent);
    return st;
}

enum { WAYS = 6 };

static mopd_status do_way(const mopd_encoder *e, size_t way, made *m)
{
    if (way < 3) return encode(e, way, m);
    return way == 3 ? bank(e, m) : teach(e, m, way == 4);
}

static void every_way_tells_its_progress_and_keeps_its_bits(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 2);
    static made want, got;
    for (size_t way = 0; way < WAYS; way++) {
        watch w;
        assert_ok(do_way(e, way, &want));
        mopd_encoder *share = share_of(e, &w, (uint32_t)(way % 3), SIZE_MAX);
        assert_ok(do_way(share, way, &got));
        assert_true(want.n > 0 && want.n == got.n);
        assert_memory_equal(want.out, got.out, want.n * sizeof *want.out);
        if (!w.ordered || w.calls < 3 || w.done != w.total || w.total != want.total)
            fail_msg(
                "way %zu: %zu calls, %zu of %zu, expected %zu", way, w.calls, w.done, w.total, want.total);
        mopd_encoder_close(share);
    }
    mopd_encoder_close(e);
}

static void every_way_stops_where_it_is_told_to(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 2);
    static made got;
    for (size_t way = 0; way < WAYS; way++)
        for (size_t stop_at = 0; stop_at < 40; stop_at += 20) {
            watch w;
            char words[80];
            mopd_encoder *share = share_of(e, &w, 1, stop_at);
            assert_int_equal(do_way(share, way, &got), MOPD_E_CANCELLED);
            snprintf(words, sizeof words, "stopped by the caller after %zu of %zu ", w.done, w.total);
            assert_non_null(strstr(mopd_last_error(), words));
            assert_true(w.done >= stop_at && w.done < w.total);
            w.stop_at = SIZE_MAX;
            w.calls = 0;
            assert_ok(do_way(share, way, &got)); /* it may be called again */
            mopd_encoder_close(share);
        }
    mopd_encoder_close(e);
}

static void a_recogniser_tells_of_its_texts(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    float x[TINY_CLASSES * TINY_DIM];
    int32_t y[TINY_CLASSES];
    watch w;
    mopd_recognizer *r = NULL;
    tiny_features(e, 1, 1, 3, x, y);
    mopd_encoder *share = share_of(e, &w, 0, SIZE_MAX);
    assert_ok(mopd_recognizer_create(&r, share, tiny_classes, TINY_CLASSES, x, y, TINY_CLASSES, NULL));
    assert_true(w.ordered && w.done == w.total && w.total >= TINY_CLASSES);
    mopd_recognizer_close(r);
    w = (watch){.thread = pthread_self()};
    assert_fails(mopd_recognizer_create(&r, share, tiny_classes, TINY_CLASSES, x, y, TINY_CLASSES, NULL),
        MOPD_E_CANCELLED, "stopped by the caller after 0 of");
    assert_null(r);
    mopd_encoder_close(share);
    mopd_encoder_close(e);
}

static void calls_of_nothing_tell_nothing(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    watch w;
    mopd_encoder *share = share_of(e, &w, 0, 0);
    assert_ok(mopd_encoder_encode_texts(share, NULL, 0, NULL));
    assert_ok(mopd_encoder_encode_images(share, NULL, 0, NULL));
    assert_ok(mopd_encoder_encode_pixels(share, NULL, 0, NULL));
    assert_int_equal(w.calls, 0);
    mopd_encoder_close(share);
    mopd_encoder_close(e);
}

static void shares_have_threads_of_their_own_and_outlive_the_rest(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    mopd_encoder *e = tiny_open(1, 2), *same, *one, *of_one;
    mopd_encoder_info info = {.struct_size = sizeof info};
    mopd_share_options o = {.struct_size = sizeof o, .n_threads = 1};
    float a[C * TINY_DIM], b[C * TINY_DIM];
    assert_ok(mopd_encoder_share(&same, e, NULL));
    assert_ok(mopd_encoder_get_info(same, &info));
    assert_int_equal(info.n_threads, 2);
    assert_ok(mopd_encoder_share(&one, same, &o));
    assert_ok(mopd_encoder_get_info(one, &info));
    assert_int_equal(info.n_threads, 1);
    assert_ok(mopd_encoder_share(&of_one, one, NULL)); /* the threads of the one that was opened */
    assert_ok(mopd_encoder_get_info(of_one, &info));
    assert_int_equal(info.n_threads, 2);
    assert_string_equal(mopd_encoder_fingerprint(one), mopd_encoder_fingerprint(e));
    assert_ok(mopd_encoder_encode_texts(e, names, C, a));
    mopd_encoder_close(e);
    mopd_encoder_close(one);
    assert_ok(mopd_encoder_encode_texts(of_one, names, C, b));
    assert_memory_equal(a, b, sizeof a);
    mopd_encoder_close(same);
    assert_ok(mopd_encoder_encode_pixels(of_one, pixels, 1, b));
    mopd_encoder_close(of_one);
    o.n_threads = 1025;
    e = tiny_open(1, 1);
    same = (mopd_encoder *)1;
    assert_fails(mopd_encoder_share(&same, e, &o), MOPD_E_ARG, "mopd_share_options: 1025 threads");
    assert_null(same);
    mopd_encoder_close(e);
}

/* The bytes of a packed file, in a block that is exactly so long and at an odd address. */
static char *packed_bytes(const mopd_encoder *e, size_t *n, char **block)
{
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("packed.safetensors"));
    assert_ok(mopd_encoder_pack(e, path, MOPD_DTYPE_F32));
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    *block = malloc(*n + 1);
    assert_non_null(*block);
    assert_int_equal(fread(*block + 1, 1, *n, f), *n);
    fclose(f);
    return *block + 1;
}

static void a_model_in_memory_is_the_model(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1), *in_memory = NULL, *share;
    char *block, *json;
    size_t n;
    float want[2 * TINY_DIM], got[2 * TINY_DIM];
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    char *bytes = packed_bytes(e, &n, &block);
    assert_ok(mopd_encoder_encode_texts(e, names, 1, want));
    assert_ok(mopd_encoder_encode_pixels(e, pixels, 1, want + TINY_DIM));
    for (o.flags = 0; o.flags <= MOPD_OPEN_READ; o.flags++) {
        assert_ok(mopd_encoder_open_memory(&in_memory, bytes, n, &o));
        if (o.flags & MOPD_OPEN_READ) memset(bytes, 0, n); /* a copy does not care */
        assert_string_equal(mopd_encoder_fingerprint(in_memory), mopd_encoder_fingerprint(e));
        assert_ok(mopd_encoder_share(&share, in_memory, NULL));
        mopd_encoder_close(in_memory);
        assert_ok(mopd_encoder_encode_texts(share, names, 1, got));
        assert_ok(mopd_encoder_encode_pixels(share, pixels, 1, got + TINY_DIM));
        assert_memory_equal(want, got, sizeof want);
        assert_ok(mopd_encoder_describe(share, &json));
        assert_non_null(strstr(json, "\"path\":\"model in memory\""));
        mopd_free(json);
        mopd_encoder_close(share);
    }
    assert_fails(mopd_encoder_open_memory(&in_memory, bytes, n, &o), MOPD_E_FORMAT, "model in memory: ");
    assert_null(in_memory);
    assert_fails(mopd_encoder_open_memory(&in_memory, bytes, 0, &o), MOPD_E_FORMAT, "model in memory: ");
    free(block);
    mopd_encoder_close(e);
}

static void shares_pack_no_weights_again(void **state)
{
    (void)state;
    test_count_start();
    mopd_encoder *e = tiny_open(1, 1), *share;
    float f[TINY_DIM];
    assert_ok(mopd_encoder_encode_texts(e, names, 1, f));
    assert_ok(mopd_encoder_encode_pixels(e, pixels, 1, f));
    const long before = test_count_live();
    assert_ok(mopd_encoder_share(&share, e, NULL));
    assert_ok(mopd_encoder_encode_texts(share, names, 1, f));
    assert_ok(mopd_encoder_encode_pixels(share, pixels, 1, f));
    assert_int_equal(test_count_live(), before + 1);
    mopd_encoder_close(share);
    mopd_encoder_close(e);
    assert_int_equal(test_count_live(), 0);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

static int prepare(void **state)
{
    (void)state;
    uint8_t samples[9 * 10 * 3];
    for (int c = 0; c < C; c++) {
        snprintf(text[c], sizeof text[c], "%d", c);
        names[c] = text[c];
    }
    test_random(pixels, N * PIXELS, 5);
    for (int i = 0; i < N; i++) {
        for (size_t k = 0; k < sizeof samples; k++) samples[k] = (uint8_t)(k * 7 + (size_t)i * 31);
        assert_ok(mopd_image_create(&images[i], samples, 9, 10, 3, 0));
    }
    return 0;
}

static int clean(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) mopd_image_close(images[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_tells_its_progress_and_keeps_its_bits),
        cmocka_unit_test(every_way_stops_where_it_is_told_to),
        cmocka_unit_test(a_recogniser_tells_of_its_texts),
        cmocka_unit_test(calls_of_nothing_tell_nothing),
        cmocka_unit_test(shares_have_threads_of_their_own_and_outlive_the_rest),
        cmocka_unit_test(a_model_in_memory_is_the_model),
    };
    int failed = cmocka_run_group_tests(tests, prepare, clean);
    const struct CMUnitTest counted[] = {cmocka_unit_test(shares_pack_no_weights_again)};
    return failed + cmocka_run_group_tests(counted, NULL, NULL);
}
