/* SPDX-License-Identifier: MIT
 * test_base.c - memory, buffers, arenas, half precision, random numbers, hashes, option structs, statuses. */
#include "test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/opts.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/half.h"
#include "base/mem.h"

static void blocks_start_at_64_and_keep_their_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n += 7) {
        unsigned char *p = mo_mem_alloc(n, 1);
        assert_int_equal((uintptr_t)p % 64, 0);
        memset(p, 0xab, n);
        p = mo_mem_realloc(p, n + 1000, 1);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0xab);
        mo_mem_free(p);
    }
    assert_int_equal(mo_mem_live(), 0);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t x;
    mo_arena a = {0};
    assert_null(mo_mem_alloc(SIZE_MAX / 2, 3));
    assert_non_null(strstr(mopd_last_error(), "out of memory"));
    assert_null(mo_mem_alloc(SIZE_MAX, 1));
    assert_null(mo_arena_floats(&a, SIZE_MAX / 2));
    assert_fails(mo_arena_open(&a), MOPD_E_NOMEM, "overflows");
    assert_false(mo_mul(SIZE_MAX, 2, &x));
    assert_false(mo_add(SIZE_MAX, 1, &x));
}

static void arena_hands_out_what_it_counted(void **state)
{
    (void)state;
    mo_arena a = {0};
    assert_null(mo_arena_floats(&a, 5));
    assert_null(mo_arena_floats(&a, 33));
    assert_ok(mo_arena_open(&a));
    float *x = mo_arena_floats(&a, 5), *y = mo_arena_floats(&a, 33);
    assert_int_equal((char *)y - (char *)x, 64);
    assert_null(mo_arena_floats(&a, 1)); /* more than was counted */
    mo_arena_close(&a);
    assert_int_equal(mo_mem_live(), 0);
}

static void allocator_cannot_change_under_live_blocks(void **state)
{
    (void)state;
    const mopd_allocator half = {0};
    void *p = mo_mem_alloc(1, 1);
    assert_fails(mopd_runtime_set_allocator(NULL), MOPD_E_STATE, "1 blocks");
    mo_mem_free(p);
    assert_ok(mopd_runtime_set_allocator(NULL));
    assert_fails(mopd_runtime_set_allocator(&half), MOPD_E_ARG, "all needed");
}

static mopd_status build_text(void *ctx)
{
    mo_buf b = {0};
    mopd_status st = mo_buf_adds(&b, "start");
    for (int i = 0; st == MOPD_OK && i < 200; i++) st = mo_buf_addf(&b, " %d", i);
    if (st == MOPD_OK && strlen(b.data) != b.size) st = MOPD_E_INTERNAL;
    *(size_t *)ctx = b.size;
    mo_buf_free(&b);
    return st;
}

static void buffer_grows_or_says_no_memory(void **state)
{
    (void)state;
    size_t n;
    test_torture(build_text, &n);
    assert_int_equal(n, 5 + 10 * 2 + 90 * 3 + 100 * 4);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

static void halves_round_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) { /* every half goes there and back */
        float f = mo_half_f16_to_f32((uint16_t)h), g = mo_half_bf16_to_f32((uint16_t)h);
        if (f == f) assert_int_equal(mo_half_f32_to_f16(f), h);
        if (g == g) assert_int_equal(mo_half_f32_to_bf16(g), h);
    }
    assert_true(isnan(mo_half_f16_to_f32(mo_half_f32_to_f16(NAN))));
    assert_true(isnan(mo_half_bf16_to_f32(mo_half_f32_to_bf16(NAN))));
    assert_int_equal(mo_half_f32_to_f16(65504.0f), 0x7bff);
    assert_int_equal(mo_half_f32_to_f16(65519.9f), 0x7bff);
    assert_int_equal(mo_half_f32_to_f16(65520.0f), 0x7c00);
    assert_int_equal(mo_half_f32_to_f16(1.0f + 0x1p-11f), 0x3c00); /* half-way: to even */
    assert_int_equal(mo_half_f32_to_f16(1.0f + 3 * 0x1p-11f), 0x3c02);
    assert_int_equal(mo_half_f32_to_f16(0x1p-25f), 0);
    assert_int_equal(mo_half_f32_to_f16(-0x1.8p-24f), 0x8002);
    assert_int_equal(mo_half_f32_to_bf16(1.0f + 0x1p-8f), 0x3f80);
    assert_int_equal(mo_half_f32_to_bf16(1.0f + 3 * 0x1p-8f), 0x3f82);
}

static void rng_is_xoshiro256starstar(void **state)
{
    (void)state;
    mo_rng r = {
        {1, 2, 3, 4}}; /* worked by hand from the authors' code: s1 = 2 -> rotl(10, 7) x 9 = 11520, ... */
    assert_true(mo_rng_next(&r) == 11520);
    assert_true(mo_rng_next(&r) == 0);
    assert_true(mo_rng_next(&r) == 1509978240);
    assert_true(mo_rng_next(&r) == UINT64_C(1215971899390074240));
    double sum = 0, square = 0;
    mo_rng_seed(&r, 7);
    for (int i = 0; i < 20000; i++) {
        double x = mo_rng_normal(&r), u = mo_rng_unit(&r);
        sum += x;
        square += x * x;
        assert_true(u >= 0 && u < 1 && mo_rng_below(&r, 7) < 7);
    }
    assert_true(fabs(sum / 20000) < 0.03 && fabs(square / 20000 - 1) < 0.05);
}

static void shuffle_is_a_permutation(void **state)
{
    (void)state;
    uint32_t x[100], seen[100] = {0};
    mo_rng r;
    int moved = 0;
    for (uint32_t i = 0; i < 100; i++) x[i] = i;
    mo_rng_seed(&r, 1);
    mo_rng_shuffle(&r, x, 100);
    for (uint32_t i = 0; i < 100; i++) seen[x[i]]++, moved += x[i] != i;
    for (int i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
    assert_true(moved > 80);
}

static void hash_in_pieces(char hex[65], const char *text, size_t n, size_t first)
{
    mo_sha256 s;
    mo_sha256_init(&s);
    mo_sha256_add(&s, text, first);
    mo_sha256_add(&s, text + first, n - first);
    mo_sha256_hex(&s, hex);
}

static void sha256_of_the_standard(void **state)
{
    (void)state;
    char hex[65], other[65], a[1000];
    hash_in_pieces(hex, "abc", 3, 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    memset(a, 'a', sizeof a);
    mo_sha256 s;
    mo_sha256_init(&s);
    for (size_t i = 0; i < 1000; i++) mo_sha256_add(&s, a, sizeof a); /* a million 'a' */
    mo_sha256_hex(&s, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    for (size_t n = 50; n < 140; n++) { /* all paddings: the pieces do not matter */
        hash_in_pieces(hex, a, n, 0);
        hash_in_pieces(other, a, n, 13);
        assert_string_equal(hex, other);
    }
}

typedef struct options_v1 {
    uint32_t struct_size, a;
} options_v1;

typedef struct options_v2 {
    uint32_t struct_size, a, b, c;
} options_v2;

static void option_structs_of_any_age(void **state)
{
    (void)state;
    const options_v2 known = {sizeof known, 1, 2, 3};
    options_v1 older;
    options_v2 got;
    struct {
        options_v2 base;
        uint32_t later[2];
    } newer = {{sizeof newer, 4, 5, 6}, {0, 0}};
    assert_ok(mo_opts_init(&older, sizeof older, &known, sizeof known, sizeof older));
    assert_int_equal(older.a, 1);
    older.a = 9;
    assert_ok(mo_opts_read(&got, &older, &known, sizeof known, sizeof older, "options"));
    assert_int_equal(got.a, 9);
    assert_int_equal(got.c, 3);
    assert_ok(mo_opts_read(&got, &newer, &known, sizeof known, sizeof older, "options"));
    assert_int_equal(got.c, 6);
    newer.later[1] = 1;
    assert_fails(
        mo_opts_read(&got, &newer, &known, sizeof known, sizeof older, "options"), MOPD_E_VERSION, "byte 20");
    older.struct_size = 4;
    assert_fails(
        mo_opts_read(&got, &older, &known, sizeof known, sizeof older, "options"), MOPD_E_ARG, "initialised");
}

static void statuses_have_names(void **state)
{
    (void)state;
    assert_string_equal(mopd_status_name(MOPD_E_FORMAT), "MOPD_E_FORMAT");
    assert_string_equal(mopd_status_name(77), "MOPD_?");
    assert_string_equal(mopd_status_text(MOPD_OK), "done");
    for (mopd_status s = 0; s > MOPD_STATUS_LAST_; s--)
        assert_string_not_equal(mopd_status_name(s), "MOPD_?");
}

static void long_messages_are_cut_with_dots(void **state)
{
    (void)state;
    char text[3000];
    memset(text, 'x', sizeof text);
    text[2999] = 0;
    mo_fail(MOPD_E_ARG, "%s", text);
    size_t n = strlen(mopd_last_error());
    assert_true(n <= 1023 && n > 1000);
    assert_string_equal(mopd_last_error() + n - 3, "...");
    mo_fail(MOPD_E_ARG, "inner");
    assert_int_equal(mo_fail_at(MOPD_E_ARG, "outer %d", 1), MOPD_E_ARG);
    assert_string_equal(mopd_last_error(), "outer 1: inner");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_start_at_64_and_keep_their_bytes),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(arena_hands_out_what_it_counted),
        cmocka_unit_test(allocator_cannot_change_under_live_blocks),
        cmocka_unit_test(buffer_grows_or_says_no_memory),
        cmocka_unit_test(halves_round_to_nearest_even),
        cmocka_unit_test(rng_is_xoshiro256starstar),
        cmocka_unit_test(shuffle_is_a_permutation),
        cmocka_unit_test(sha256_of_the_standard),
        cmocka_unit_test(option_structs_of_any_age),
        cmocka_unit_test(statuses_have_names),
        cmocka_unit_test(long_messages_are_cut_with_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
