/* SPDX-License-Identifier: MIT
 * test_bf16.c - what computes products in bf16: by name, else by the processor; which matrices; the kernel on AMX and its
 * twin in plain C. */
#include "test.h"

#include <math.h>

#include "base/half.h"
#include "math/i16.h"
#include "math/kern.h"
#include "support/bf16.h"
#include "support/mats.h"

static void another_name_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set("integers"));
    assert_fails(mo_bf16_set("onednn"), MOPD_E_ARG, "bf16 by \"onednn\": not one of bfloat16, integers");
    assert_fails(mo_bf16_set(""), MOPD_E_ARG, "bf16 by \"\"");
    assert_null(mo_bf16_get());
}

static void integers_can_be_asked_for_anywhere(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set("integers"));
    assert_null(mo_bf16_get());
    assert_false(mo_bf16_wanted(768, 768));
    assert_string_equal(mo_bf16_name(), mo_i16_get()->name);
    assert_true(mo_bf16_as_wished());
    assert_ok(mo_bf16_check());
}

/* Unasked, AMX has what it makes fast, and no small products. */
static void unasked_it_is_by_the_processor(void **state)
{
    (void)state;
    const bool amx = mo_bf16_amx() && mo_kern_get() == mo_kern_avx512();
    assert_ptr_equal(mo_bf16_get(), amx ? mo_bf16_amx() : NULL);
    assert_int_equal(mo_bf16_wanted(768, 768), amx);
    assert_false(mo_bf16_wanted(96, 16));
    assert_false(mo_bf16_wanted(127, 129));
    assert_int_equal(mo_bf16_wanted(128, 128), amx);
    assert_int_equal(mo_bf16_wanted(SIZE_MAX, 2), amx); /* whose product overflows */
    assert_ok(mo_bf16_check());
}

static void asked_for_by_name_bfloat16_has_all(void **state)
{
    (void)state;
    assert_ok(mo_bf16_set("bfloat16"));
    assert_true(mo_bf16_wanted(96, 16));
    assert_true(mo_bf16_wanted(1, 1));
    assert_string_equal(mo_bf16_name(), mo_bf16_get() == mo_bf16_plain() ? "bfloat16" : "amx");
}

/* A CPU path below AVX-512 has none of its instructions. */
static void narrower_paths_hide_amx(void **state)
{
    (void)state;
    assert_ok(mo_kern_cpu_set("plain"));
    assert_false(mo_bf16_wanted(768, 768));
    assert_string_equal(mo_bf16_name(), "plain");
    assert_ok(mo_bf16_set("bfloat16"));
    assert_ptr_equal(mo_bf16_get(), mo_bf16_plain());
}

/* -- the kernels -------------------------------------------------------------------------------------------- */

static void rows_are_rounded_to_nearest_even(void **state)
{
    (void)state;
    enum { K = 71 };
    float x[K];
    test_random(x, K, 3);
    x[0] = 1.00390625f, x[1] = 1.01171875f; /* halves: to 1, and to 1.015625 */
    x[2] = INFINITY, x[3] = -INFINITY, x[4] = -0.0f, x[5] = 3.4e38f;
    const mo_bf16_kern *const kerns[] = {mo_bf16_plain(), mo_bf16_amx()};
    for (size_t i = 0; i < 2 && kerns[i]; i++) {
        uint16_t to[3 * MO_BF16_TILE];
        memset(to, 0xee, sizeof to);
        kerns[i]->round(to, x, K);
        for (size_t p = 0; p < 96; p++) {
            const float got = mo_half_bf16_to_f32(to[p / 32 * MO_BF16_TILE + p % 32]);
            assert_true(got == (p < K ? test_rounded(x[p]) : 0));
        }
        assert_int_equal(to[32], 0xeeee); /* the next row's */
        const float nan = NAN;
        kerns[i]->round(to, &nan, 1);
        assert_true(isnan(mo_half_bf16_to_f32(to[0])));
    }
}

enum { SIDE = MO_BF16_BLOCK, STEPS = 5 };

/* A block with everything that may be asked of it, by the bits of `form`. */
static mo_bf16_block block_of(
    unsigned form, const uint16_t *a, const uint16_t *w, const float *more, float *out)
{
    static const size_t sizes[] = {1, 15, 16, 17, 31, 32};
    mo_bf16_block b = {
        .m = sizes[form % 6], .n = sizes[form / 6 % 6], .steps = form % 4 ? STEPS : 1, .a = a, .w = w};
    form /= 36;
    b.lower = b.right = STEPS * MO_BF16_TILE;
    if (form & 1) b.bias = more + 7;
    if (form & 2) b.start = form & 4 ? out : more, b.ldstart = form & 4 ? SIDE + 3 : SIDE + 1;
    b.top = form & 8 ? (form & 4 ? INFINITY : 1.5f) : 0;
    b.out = out;
    b.ldout = SIDE + 3;
    return b;
}

/* Same bits, also of what lies beside the block. */
static void amx_and_plain_agree(void **state)
{
    (void)state;
    const mo_bf16_kern *amx = mo_bf16_amx(), *plain = mo_bf16_plain();
    if (!amx) skip();
    float *x = test_floats(2 * STEPS * MO_BF16_TILE, 1), *y = test_floats(2 * STEPS * MO_BF16_TILE, 2);
    float *more = test_floats(SIDE * (SIDE + 8), 3);
    static uint16_t a[2 * STEPS * MO_BF16_TILE], w[2 * STEPS * MO_BF16_TILE];
    for (size_t i = 0; i < 2 * STEPS * MO_BF16_ROWS; i++) { /* 32 numbers, one after the other */
        plain->round(a + 32 * i, x + 32 * i, 32);
        plain->round(w + 32 * i, y + 32 * i, 32);
    }
    for (unsigned form = 0; form < 36 * 16; form++) {
        float *one = test_floats(SIDE * (SIDE + 3), 9), *two = test_floats(SIDE * (SIDE + 3), 9);
        mo_bf16_block b = block_of(form, a, w, more, one);
        plain->block(&b);
        b = block_of(form, a, w, more, two);
        amx->begin();
        amx->block(&b);
        amx->end();
        if (memcmp(one, two, SIDE * (SIDE + 3) * sizeof *one) != 0) fail_msg("form %u differs", form);
        mo_mem_free(one), mo_mem_free(two);
    }
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(more);
}

#define test(name) cmocka_unit_test_setup_teardown(name, test_bf16_default, test_bf16_default)

int main(void)
{
    unsetenv("MOPD_BF16");
    const struct CMUnitTest tests[] = {
        test(another_name_is_refused_and_changes_nothing),
        test(integers_can_be_asked_for_anywhere),
        test(unasked_it_is_by_the_processor),
        test(asked_for_by_name_bfloat16_has_all),
        test(narrower_paths_hide_amx),
        test(rows_are_rounded_to_nearest_even),
        test(amx_and_plain_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
